import { randomUUID } from "node:crypto";
import type { Storage } from "../domain/storage.ts";
import { endpoints } from "../handlers/endpoints.ts";
import packageJson from "../package.json" with { type: "json" };
import { isPostgres, readSettings, type Settings } from "./environment.ts";
import { createEdge, type Edge } from "./http/edge.ts";
import { createLog } from "./logger.ts";

/** The whole server but its socket. */
export interface Analytics {
  readonly edge: Edge;
  readonly settings: Settings;
  /** Finishes what was accepted and lets go of the storage. */
  close(): Promise<void>;
}

// Imported when it is asked for: a Lambda bundle is without SQLite's native module, and one host without PostgreSQL.
async function openStorage({ database, databaseCa }: Settings): Promise<Storage> {
  if (isPostgres(database)) {
    const { openPostgres } = await import("./postgres/storage.ts");
    return openPostgres(database, { ca: databaseCa });
  }
  const { openSqlite } = await import("./sqlite/storage.ts");
  return openSqlite(database);
}

/** The composition root: reads the settings, opens the storage, and builds the one World that all endpoints share. */
export async function openAnalytics(variables: NodeJS.ProcessEnv): Promise<Analytics> {
  const settings = readSettings(variables);
  const storage = await openStorage(settings);
  const world = { storage, now: Date.now, newId: randomUUID, version: packageJson.version };
  const edge = createEdge({ endpoints, world, settings, log: createLog(settings) });
  return { edge, settings, close: () => storage.close() };
}
