import type { Storage, StorageCondition } from "../../domain/storage.ts";
import { pendingMigrations } from "../migrate.ts";
import { createAssignmentStore } from "./assignments.ts";
import type { ConnectionOptions } from "./connection.ts";
import { type Database, openDatabase } from "./database.ts";
import { createDeletions } from "./deletions.ts";
import { createEventStore } from "./events.ts";
import { createExperimentStore } from "./experiments.ts";
import { isMissingTable, isTakenName } from "./failures.ts";
import { placeOf } from "./hosts.ts";
import { createMetricStore } from "./metrics.ts";
import { migrations } from "./migrations.ts";
import { createQuestions } from "./questions.ts";
import { createTallyBacklog } from "./tally-backlog.ts";

const MIGRATIONS_TABLE =
  "create table if not exists migrations(name text primary key, applied_at timestamptz not null default current_timestamp)";

async function appliedNames({ query }: Database): Promise<string[]> {
  const rows = await query<{ name: string }>("select name from migrations").catch((error) => {
    if (isMissingTable(error)) return undefined;
    throw error;
  });
  if (rows !== undefined) return rows.map(({ name }) => name);
  // Of several processes that create it together, one may be told that it exists.
  await query(MIGRATIONS_TABLE).catch((error) => {
    if (!isTakenName(error)) throw error;
  });
  return [];
}

// An index over a large table takes minutes. Other processes that start meanwhile wait for it too.
const UPGRADE_PATIENCE_MS = 3_600_000;

/** Of several processes that start together, one inserts the name; the others wait for its commit and skip the step. */
async function migrate(database: Database): Promise<void> {
  for (const { name, sql } of pendingMigrations(migrations, await appliedNames(database))) {
    await database.transaction(async (query) => {
      const claim = "insert into migrations(name) values ($1) on conflict (name) do nothing returning name";
      const claimed = await query(claim, [name]);
      if (claimed.length > 0) await query(sql);
    }, UPGRADE_PATIENCE_MS);
  }
}

/** Stops the start of the server, with a message for the operator. */
export class UnusableDatabase extends Error {
  override readonly name = "UnusableDatabase";

  constructor(url: string, cause: unknown) {
    const reason = cause instanceof Error ? cause : new Error(String(cause));
    const deeper = reason.cause instanceof Error ? reason.cause.message : reason.message;
    super(`ANALYTICS_DATABASE names ${placeOf(url)}, which cannot be used: ${deeper}`, { cause });
  }
}

/** Reads a row, asks whether this server takes writes, and remembers for some seconds that its disk was full. */
async function conditionOf({ queryOnce, diskFull }: Database): Promise<StorageCondition> {
  const [row] = await queryOnce<{ read_only: string }>(
    "select current_setting('transaction_read_only') as read_only from migrations limit 1",
  );
  if (row?.read_only === "on") return { state: "read-only" };
  const cause = diskFull();
  return cause === undefined ? { state: "ok" } : { state: "full", cause };
}

/** Connects, makes or upgrades the tables, and serves the port from them. */
export async function openPostgres(url: string, options: ConnectionOptions = {}): Promise<Storage> {
  const database = openDatabase(url, options);
  try {
    await migrate(database);
  } catch (error) {
    await database.close();
    throw new UnusableDatabase(url, error);
  }
  const deletions = createDeletions(database);
  deletions.resume();
  const backlog = createTallyBacklog(database);
  void backlog.work();
  const experiments = createExperimentStore(database, deletions);
  return {
    ...createEventStore(database),
    ...createQuestions(database, options),
    ...experiments,
    ...createAssignmentStore(database),
    ...createMetricStore(database, experiments),
    hasRoom: database.hasRoom,
    check: () => conditionOf(database),
    close: async () => {
      await backlog.stop();
      await deletions.stop();
      await database.close();
    },
  };
}
