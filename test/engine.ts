import { openSqlite } from "../adapters/sqlite/storage.ts";
import type { Storage } from "../domain/storage.ts";

/**
 * Opens the storage of a test's world: SQLite in memory. The project `requests on postgres` sets another one
 * (test/adapters/postgres/request-setup.ts), so that the same tests run on both engines.
 */
export const engine: { open: () => Storage } = { open: () => openSqlite(":memory:") };
