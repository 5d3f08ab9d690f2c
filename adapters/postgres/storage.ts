import { setTimeout as sleep } from "node:timers/promises";
import type { Keeping } from "../../domain/events/expiry.ts";
import type { OnRetry, RebuildProgress, Storage, StorageCondition } from "../../domain/storage.ts";
import type { Instant } from "../../domain/time.ts";
import { pendingMigrations } from "../migrate.ts";
import type { ConnectionOptions } from "./connection.ts";
import { type Database, openDatabase } from "./database.ts";
import { createEventStore } from "./events.ts";
import { createAssignmentStore } from "./experiments/assignments.ts";
import { createDeletions } from "./experiments/deletions.ts";
import { createExperimentStore } from "./experiments/experiments.ts";
import { createMetricStore } from "./experiments/metrics.ts";
import { createTallyBacklog } from "./experiments/tally-backlog.ts";
import { openExpiry } from "./expiry.ts";
import { isLockTimeout, isMissingTable, isTakenName } from "./failures.ts";
import { figuresOf } from "./figures.ts";
import { placeOf } from "./hosts.ts";
import { migrations, type PostgresMigration } from "./migrations.ts";
import { openErasures } from "./people/erasures.ts";
import { createLinkStore } from "./people/links.ts";
import { createPersonReader } from "./people/person.ts";
import { createAnnotationStore } from "./reports/annotations.ts";
import { createExpiredEvents } from "./reports/kept-counts.ts";
import { createQuestions } from "./reports/questions.ts";
import { createRollupBuild, type RollupBuild } from "./reports/rollup-build.ts";
import { createSavedQuestionStore } from "./reports/saved-questions.ts";
import { createShareStore } from "./shares.ts";

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

// A step of the schema takes the lock of a table for some milliseconds. Until it has it, writes wait behind it: so it gives
// up soon, and tries again.
const LOCK_WAIT = "set local lock_timeout = '50ms'";
const LOCK_RETRY_MS = 200;
const UPGRADE_PATIENCE_MS = 3_600_000;

/** Of several processes that start together, one inserts the name; the others wait for its commit and skip the step. */
async function apply(database: Database, { name, sql, after }: PostgresMigration): Promise<void> {
  const claim = "insert into migrations(name) values ($1) on conflict (name) do nothing returning name";
  const deadline = Date.now() + UPGRADE_PATIENCE_MS;
  for (;;) {
    try {
      await database.transaction(async (query) => {
        await query(LOCK_WAIT);
        if ((await query(claim, [name])).length === 0) return;
        await query(sql);
        await after?.(query);
      }, UPGRADE_PATIENCE_MS);
      return;
    } catch (error) {
      if (!isLockTimeout(error) || Date.now() > deadline) throw error;
      await sleep(LOCK_RETRY_MS);
    }
  }
}

async function migrate(database: Database): Promise<void> {
  const pending = pendingMigrations(migrations, await appliedNames(database));
  for (const migration of pending) await apply(database, migration);
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
async function conditionOf({ queryOnce, diskFull }: Database, build: RollupBuild): Promise<StorageCondition> {
  const [row] = await queryOnce<{ read_only: string }>(
    "select current_setting('transaction_read_only') as read_only from migrations limit 1",
  );
  if (row?.read_only === "on") return { state: "read-only" };
  const cause = diskFull();
  return cause === undefined ? { state: "ok", rebuild: await build.progress() } : { state: "full", cause };
}

const FOR_EVER: Keeping = { days: null, byType: {} };

export interface PostgresOptions extends ConnectionOptions {
  /** How long events are kept. Default: for ever. */
  readonly keeping?: Keeping | undefined;
  /** Default: the clock of the machine. */
  readonly now?: (() => Instant) | undefined;
  /** Called about once a second while the rollups are rebuilt. */
  readonly onProgress?: ((progress: RebuildProgress) => void) | undefined;
  readonly onRetry?: OnRetry | undefined;
}

/** Connects, makes or upgrades the tables, and serves the port from them. */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Storage> {
  const database = openDatabase(url, options);
  try {
    await migrate(database);
  } catch (error) {
    await database.close();
    throw new UnusableDatabase(url, error);
  }
  const { onProgress = () => {}, onRetry = () => {} } = options;
  const deletions = createDeletions(database, onRetry);
  deletions.resume();
  const build = createRollupBuild(database, onProgress, onRetry);
  const erasures = openErasures(database, build, onRetry);
  const { keeping = FOR_EVER, now = Date.now } = options;
  const expiry = openExpiry(database, build, keeping, now, onRetry);
  const questions = createQuestions(database, build, erasures, options);
  const backlog = createTallyBacklog(database, questions, onRetry);
  void backlog.work();
  build.start();
  erasures.resume();
  expiry.start();
  const experiments = createExperimentStore(database, deletions, () => void backlog.work());
  return {
    ...createEventStore(database, build),
    ...questions,
    ...createExpiredEvents(database),
    ...createPersonReader(database),
    ...createLinkStore(database),
    ...createAnnotationStore(database),
    ...createSavedQuestionStore(database),
    ...createShareStore(database),
    eraseUser: erasures.eraseUser,
    listErasures: erasures.listErasures,
    ...experiments,
    ...createAssignmentStore(database),
    ...createMetricStore(database, experiments),
    hasRoom: database.hasRoom,
    check: async () => ({
      ...(await conditionOf(database, build)),
      expiry: expiry.progress(),
      erasuresWaiting: (await erasures.figures()).waiting,
    }),
    figures: () => figuresOf(database, erasures, expiry),
    close: async () => {
      await expiry.stop();
      await erasures.stop();
      // Its covariates are answers of reports, which the rollups' builds serve.
      await backlog.stop();
      await build.stop();
      await deletions.stop();
      await database.close();
    },
  };
}
