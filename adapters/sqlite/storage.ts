import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import type { Storage } from "../../domain/storage.ts";
import { pendingMigrations } from "../migrate.ts";
import { createAssignmentFinder, createAssignmentStore } from "./assignments.ts";
import { createCounting } from "./counting.ts";
import { createEventStore } from "./events.ts";
import { createExperimentShelf, createExperimentStore } from "./experiments.ts";
import { reading } from "./failures.ts";
import { createFoldPlanner, type FoldPlan } from "./fold-plan.ts";
import { createFoldWriter } from "./fold-writer.ts";
import { createLogPause } from "./log-pause.ts";
import { createMetricStore } from "./metrics.ts";
import { migrations } from "./migrations.ts";
import { answerHere, answerOn, createQuestions } from "./questions.ts";
import { createTallies } from "./tallies.ts";
import { createThreads } from "./threads.ts";
import { createWriter, type Writer } from "./writer.ts";

// While it opens, another process may be migrating the same file.
const OPENING_PATIENCE_MS = 10_000;

const PRAGMAS = [
  "journal_mode = wal",
  // better-sqlite3 makes WAL mean NORMAL, with which a power failure takes acknowledged rows along.
  "synchronous = full",
  "foreign_keys = on",
  // 32 MiB of log: fewer checkpoints, each a stall, for a file that grows no further than that.
  "wal_autocheckpoint = 8000",
  "journal_size_limit = 67108864",
  "cache_size = -16000",
  "temp_store = memory",
];

function migrate(db: Database): void {
  db.exec(
    "create table if not exists migrations(name text primary key, applied_at text not null) without rowid",
  );
  const names = db.prepare<[], string>("select name from migrations").pluck();
  const record = db.prepare("insert into migrations(name, applied_at) values (?, datetime('now'))");
  for (const { name } of pendingMigrations(migrations, names.all())) {
    // Asked again under the lock: several processes that start at once migrate once.
    db.transaction(() => {
      const migration = pendingMigrations(migrations, names.all()).find((pending) => pending.name === name);
      if (migration === undefined) return;
      db.exec(migration.sql);
      record.run(name);
    }).immediate();
  }
}

// What an upgrade leaves is counted here, with progress; what a stopped server has left over, with the first question.
const FEW_EVENTS = 10_000;
const ROWS_A_STEP = 5_000;
const PROGRESS_MS = 1_000;

/** Counts the events that were stored before there were rollups, in steps that each stay done. */
function countStored(db: Database, onProgress: SqliteOptions["onProgress"]): void {
  const folder = createFoldWriter(db);
  const total = folder.newest() - folder.through();
  if (total < FEW_EVENTS) return;
  const planner = createFoldPlanner(db);
  const step = db.transaction(() => {
    const plan = planner.plan(ROWS_A_STEP);
    if (plan !== undefined) folder.carryOut(plan);
    return plan !== undefined;
  });
  let saidAt = 0;
  while (step.immediate()) {
    if (Date.now() - saidAt < PROGRESS_MS) continue;
    saidAt = Date.now();
    onProgress?.(total - (folder.newest() - folder.through()), total);
  }
  onProgress?.(total, total);
}

function openDatabase(file: string, { onProgress }: SqliteOptions): Database {
  if (file !== ":memory:") mkdirSync(dirname(file), { recursive: true });
  const db = new Sqlite(file, { timeout: OPENING_PATIENCE_MS });
  try {
    for (const pragma of PRAGMAS) db.pragma(pragma);
    migrate(db);
    countStored(db, onProgress);
    db.pragma("optimize = 0x10002");
    // From here on nobody waits for a lock with the event loop in hand: the writer tries again by itself.
    db.pragma("busy_timeout = 0");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** What an operator reads when the server refuses to start over its database. */
export class UnusableDatabase extends Error {
  override readonly name = "UnusableDatabase";

  constructor(file: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`ANALYTICS_DATABASE names ${file}, which cannot be used: ${reason}`, { cause });
  }
}

export interface SqliteOptions {
  /** How long a report may take. */
  readonly reportMs?: number | undefined;
  /** What threads run that count and answer, built; without it that is done here, and holds up everybody meanwhile. */
  readonly threadScript?: URL | undefined;
  /** How many events are stored before they are counted; those that are left, when somebody asks. */
  readonly countAt?: number | undefined;
  /** Told now and then, while an upgrade takes time, how many of so many events have been counted. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const REPORT_MS = 15_000;
// One by one, each event would change a dozen rows of rollups; a thousand together change a few hundred.
const COUNT_AT = 1_000;

// One for long reports and one for those in a hurry.
const REPORT_THREADS = 2;
// Where there are fewer cores than work, who stores comes first, then the counting, then who asks.
const COUNTING_NICENESS = 5;
const REPORTS_NICENESS = 10;

/** Those who count and answer: on threads, but where no other thread can see into the database. */
function readersOf(db: Database, file: string, writer: Writer, options: SqliteOptions) {
  const { reportMs = REPORT_MS, threadScript: script, countAt = COUNT_AT } = options;
  const folder = createFoldWriter(db);
  if (script === undefined || file === ":memory:") {
    const planner = createFoldPlanner(db);
    const planAtOneMoment = db.transaction((most: number) => planner.plan(most));
    const plan = (most: number) => reading(() => planAtOneMoment(most));
    const counting = createCounting(writer, folder, plan, countAt);
    return { counting, answer: answerHere(db, reportMs), closeThreads: async () => {} };
  }
  const pause = createLogPause(db, file);
  const reports = createThreads({ file, script, niceness: REPORTS_NICENESS, threads: REPORT_THREADS, pause });
  // A report that takes its time must not keep another's events from being counted.
  const planners = createThreads({ file, script, niceness: COUNTING_NICENESS, threads: 1 });
  const plan = (most: number) => planners.run({ kind: "plan", most }) as Promise<FoldPlan | undefined>;
  return {
    counting: createCounting(writer, folder, plan, countAt),
    answer: answerOn(reports, reportMs),
    closeThreads: async () => {
      await Promise.all([reports.close(), planners.close()]);
    },
  };
}

/** Opens the file, makes or upgrades what it holds, and serves the port from it. `:memory:` forgets everything. */
export function openSqlite(file: string, options: SqliteOptions = {}): Storage {
  let db: Database;
  try {
    db = openDatabase(file, options);
  } catch (error) {
    throw new UnusableDatabase(file, error);
  }
  const tallies = createTallies(db);
  const alive = db.prepare("select 1 from sqlite_schema limit 1");
  const shelf = createExperimentShelf(db);
  const writer = createWriter(db, { save: tallies.save, forget: tallies.forget, undo: shelf.clear });
  const finder = createAssignmentFinder(db);
  const { counting, answer, closeThreads } = readersOf(db, file, writer, options);
  return {
    ...createEventStore(db, writer, shelf, finder, tallies, counting),
    ...createQuestions(counting, answer, options.reportMs ?? REPORT_MS),
    ...createExperimentStore(db, writer, shelf, tallies),
    ...createAssignmentStore(db, writer, finder, tallies),
    ...createMetricStore(db, writer, shelf, finder, tallies),
    check: () => reading(() => void alive.get()),
    close: async () => {
      await closeThreads();
      await writer.drain();
      db.pragma("optimize");
      db.close();
    },
  };
}
