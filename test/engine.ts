import { openSqlite } from "../adapters/sqlite/storage.ts";
import type { Storage } from "../domain/storage.ts";

/**
 * Opens the storage of a test world: SQLite in memory. The test project `requests on postgres` replaces it
 * (test/adapters/postgres/request-setup.ts), so that the same tests run on both engines.
 */
export const engine: { open: () => Storage } = { open: () => openSqlite(":memory:") };
