import { randomBytes, randomUUID } from "node:crypto";
import { PreparedResults } from "../domain/experiments/results/prepared-results.ts";
import type { OnRetry, RebuildProgress, Storage } from "../domain/storage.ts";
import { Activity } from "../handlers/contract/activity/activity.ts";
import type { World } from "../handlers/contract/endpoint.ts";
import { endpoints } from "../handlers/contract/endpoints.ts";
import packageJson from "../package.json" with { type: "json" };
import { createStaticFiles, NO_FILES } from "./http/answers/files.ts";
import { createEdge, type Edge, type EdgeParts } from "./http/edge.ts";
import { ownerOf } from "./http/router.ts";
import { createLog, type ServerLog } from "./logger.ts";
import { processFigures } from "./process-figures.ts";
import { isPostgres } from "./setting-values.ts";
import { readSettings, type Settings } from "./settings.ts";

/** The whole server without its socket. */
export interface Analytics {
  readonly edge: Edge;
  /** Whether the storage can take a large write now. */
  readonly hasRoom: () => boolean;
  /** Whether a path belongs to the edge, on a server that has other paths too. */
  readonly owns: (path: string) => boolean;
  readonly settings: Settings;
  /** Stores what was accepted, then closes the storage. */
  close(): Promise<void>;
}

export interface AnalyticsOptions extends Pick<EdgeParts, "maxAnswerBytes"> {
  /** The path of the dashboard. Absent: neither the dashboard nor the browser client is served. */
  readonly dashboard: string | undefined;
}

const WEB_FILES = new URL("./web/", import.meta.url);

const RETRIED = {
  rollups:
    "The rollups could not be brought up to date. It is tried again; questions are answered meanwhile.",
  tallies: "Stored rows could not be added to the results of their experiments. It is tried again.",
  deletions: "The rows of a deleted experiment could not be removed. It is tried again.",
  erasures: "A user's rows could not be erased. It is tried again; no answer shows them meanwhile.",
  expiry: "Old events could not be removed. It is tried again.",
};

// Imported on demand: a Lambda bundle does not contain SQLite's native module, and one host needs no PostgreSQL.
async function openStorage(
  { database, databaseCa, reportMs, keeping }: Settings,
  log: ServerLog,
): Promise<Storage> {
  const onProgress = ({ done, total }: RebuildProgress): void => {
    const percent = Math.floor((100 * done) / total);
    log.write({
      level: "info",
      message: `The rollups are rebuilt: ${done} of ${total} events, ${percent} %.`,
    });
  };
  const onRetry: OnRetry = (work, error) => log.write({ level: "error", message: RETRIED[work], error });
  if (isPostgres(database)) {
    const { openPostgres } = await import("./postgres/storage.ts");
    return openPostgres(database, { ca: databaseCa, reportMs, keeping, onProgress, onRetry });
  }
  const { openSqlite } = await import("./sqlite/storage.ts");
  const threadScript = new URL("./sqlite-thread.mjs", import.meta.url);
  const onFilesChange = (trouble: string | undefined): void => {
    if (trouble === undefined) log.write({ level: "info", message: "The database is in its place again." });
    else log.write({ level: "error", message: trouble });
  };
  return openSqlite(database, { reportMs, keeping, threadScript, onProgress, onRetry, onFilesChange });
}

/** The composition root: reads the settings, opens the storage, and builds the World that all endpoints share. */
export async function openAnalytics(
  variables: NodeJS.ProcessEnv,
  { maxAnswerBytes, dashboard }: AnalyticsOptions,
): Promise<Analytics> {
  const settings = readSettings(variables);
  const log = createLog(settings);
  const storage = await openStorage(settings, log);
  const world: World = {
    storage,
    prepared: new PreparedResults(),
    now: Date.now,
    newId: randomUUID,
    newSecret: () => randomBytes(32).toString("base64url"),
    version: packageJson.version,
    activity: new Activity(),
    processFigures,
  };
  const files =
    dashboard === undefined ? NO_FILES : createStaticFiles(WEB_FILES, dashboard, settings.timezone);
  const edge = createEdge({ endpoints, world, settings, log, files, maxAnswerBytes });
  const owns = ownerOf(endpoints, files.list);
  return { edge, owns, hasRoom: storage.hasRoom, settings, close: () => storage.close() };
}
