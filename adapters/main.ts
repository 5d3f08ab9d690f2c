import { randomUUID } from "node:crypto";
import type { Storage } from "../domain/storage.ts";
import type { World } from "../handlers/contract/endpoint.ts";
import { endpoints } from "../handlers/contract/endpoints.ts";
import packageJson from "../package.json" with { type: "json" };
import { createEdge, type Edge, type EdgeParts } from "./http/edge.ts";
import { createFileServer } from "./http/files.ts";
import { createLog, type ServerLog } from "./logger.ts";
import { isPostgres } from "./setting-values.ts";
import { readSettings, type Settings } from "./settings.ts";

/** The whole server but its socket. */
export interface Analytics {
  readonly edge: Edge;
  /** Whether the storage can take a large write now. */
  readonly hasRoom: () => boolean;
  readonly settings: Settings;
  /** Finishes what was accepted and lets go of the storage. */
  close(): Promise<void>;
}

function sayProgress(done: number, total: number): void {
  const percent = Math.floor((100 * done) / total);
  process.stderr.write(`Analytics Server counts what is stored: ${done} of ${total} events, ${percent} %\n`);
}

// Imported when it is asked for: a Lambda bundle is without SQLite's native module, and one host without PostgreSQL.
async function openStorage({ database, databaseCa, reportMs }: Settings, log: ServerLog): Promise<Storage> {
  if (isPostgres(database)) {
    const { openPostgres } = await import("./postgres/storage.ts");
    return openPostgres(database, { ca: databaseCa, reportMs });
  }
  const { openSqlite } = await import("./sqlite/storage.ts");
  const threadScript = new URL("./sqlite-thread.mjs", import.meta.url);
  const onFilesChange = (trouble: string | undefined): void => {
    if (trouble === undefined) log.write({ level: "info", message: "The database is in its place again." });
    else log.write({ level: "error", message: trouble });
  };
  return openSqlite(database, { reportMs, threadScript, onProgress: sayProgress, onFilesChange });
}

/** The composition root: reads the settings, opens the storage, and builds the one World that all endpoints share. */
export async function openAnalytics(
  variables: NodeJS.ProcessEnv,
  { maxAnswerBytes }: Pick<EdgeParts, "maxAnswerBytes"> = {},
): Promise<Analytics> {
  const settings = readSettings(variables);
  const log = createLog(settings);
  const storage = await openStorage(settings, log);
  const world: World = { storage, now: Date.now, newId: randomUUID, version: packageJson.version };
  const files = createFileServer(new URL("./web/", import.meta.url));
  const edge = createEdge({ endpoints, world, settings, log, files, maxAnswerBytes });
  return { edge, hasRoom: storage.hasRoom, settings, close: () => storage.close() };
}
