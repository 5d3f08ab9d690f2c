import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import type { Keeping } from "../../domain/events/expiry.ts";
import type { OnRetry, RebuildProgress, Storage } from "../../domain/storage.ts";
import type { Instant } from "../../domain/time.ts";
import type { Erasures } from "../background/erasures.ts";
import type { Expiry } from "../background/expiry.ts";
import { pendingMigrations } from "../migrate.ts";
import { type Checkpoints, createCheckpoints } from "./checkpoints.ts";
import { createEventStore } from "./events.ts";
import { createAssignmentFinder, createAssignmentStore } from "./experiments/assignments.ts";
import { createCellReader } from "./experiments/cell-reader.ts";
import { type Cells, createCells } from "./experiments/cells.ts";
import { createCovariateBacklog } from "./experiments/covariate-backlog.ts";
import { createDeletions } from "./experiments/deletions.ts";
import { createEventCounter } from "./experiments/event-counter.ts";
import {
  createExperimentShelf,
  createExperimentStore,
  type ExperimentShelf,
} from "./experiments/experiments.ts";
import { createMetricStore } from "./experiments/metrics.ts";
import { createTallyBacklog } from "./experiments/tally-backlog.ts";
import { createWeightPeriods } from "./experiments/weight-periods.ts";
import { openExpiry } from "./expiry.ts";
import { conditionOf, reading } from "./failures.ts";
import { createFigures } from "./figures.ts";
import { migrations } from "./migrations.ts";
import { type OpenFiles, watchOpenFiles } from "./open-files.ts";
import { openErasures } from "./people/erasures.ts";
import { createEventRemoval } from "./people/event-removal.ts";
import { createIdsOf, createLinkStore, type IdsOf } from "./people/links.ts";
import { createLeaving } from "./people/memberships.ts";
import { createPersonReader } from "./people/person.ts";
import { planHere } from "./people/removal-planner.ts";
import { createRemover } from "./people/remover.ts";
import { createAnnotationStore } from "./reports/annotations.ts";
import { createExpiredEvents } from "./reports/kept-counts.ts";
import { createLogPause } from "./reports/log-pause.ts";
import { answerHere, createQuestions } from "./reports/questions.ts";
import { createPlanner, createRollupBuild, type RollupBuild } from "./reports/rollup-build.ts";
import { createRollupWriter } from "./reports/rollup-writer.ts";
import { createSavedQuestionStore } from "./reports/saved-questions.ts";
import { answerOn, createThreads, planOn } from "./reports/threads.ts";
import { createShareStore } from "./shares.ts";
import { createWriteProbe, type WriteProbe } from "./write-probe.ts";
import { createWriter, type Writer } from "./writer.ts";

// Another process may be migrating the same file at the same time.
const OPENING_PATIENCE_MS = 10_000;

const PRAGMAS = [
  // Has an effect on a new file only, and has to come first.
  "auto_vacuum = incremental",
  "journal_mode = wal",
  // better-sqlite3 sets NORMAL for WAL, with which a power failure loses acknowledged rows.
  "synchronous = full",
  "foreign_keys = on",
  // 32 MiB of log: fewer checkpoints, each of which stalls the writes.
  "wal_autocheckpoint = 8000",
  "journal_size_limit = 67108864",
  "cache_size = -16000",
  "temp_store = memory",
];

// Where a thread makes the checkpoints, a write makes one only if the thread cannot.
const CHECKPOINTS_ELSEWHERE = "wal_autocheckpoint = 32000";

function migrate(db: Database): void {
  db.exec(
    "create table if not exists migrations(name text primary key, applied_at text not null) without rowid",
  );
  const names = db.prepare<[], string>("select name from migrations").pluck();
  const record = db.prepare("insert into migrations(name, applied_at) values (?, datetime('now'))");
  if (pendingMigrations(migrations, names.all()).length === 0) return;
  // All with one commit, and looked up again under the lock: of several processes that start together, one migrates.
  db.transaction(() => {
    for (const { name, sql } of pendingMigrations(migrations, names.all())) {
      db.exec(sql);
      record.run(name);
    }
  }).immediate();
}

/** Makes a new file that only its owner can read; SQLite gives the log the same permissions. */
function createPrivately(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
}

function openDatabase(file: string): Database {
  if (file !== ":memory:") createPrivately(file);
  const db = new Sqlite(file, { timeout: OPENING_PATIENCE_MS });
  try {
    for (const pragma of PRAGMAS) db.pragma(pragma);
    migrate(db);
    // Statistics of tables that have none, from some of their rows: reading all would keep the file locked for seconds.
    db.pragma("optimize = 0x10012");
    // From here on no statement blocks the event loop to wait for a lock: the writer tries again by itself.
    db.pragma("busy_timeout = 0");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Stops the start of the server, with a message for the operator. */
export class UnusableDatabase extends Error {
  override readonly name = "UnusableDatabase";

  constructor(file: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`ANALYTICS_DATABASE names ${file}, which cannot be used: ${reason}`, { cause });
  }
}

function openUsable(file: string): Database {
  try {
    return openDatabase(file);
  } catch (error) {
    throw new UnusableDatabase(file, error);
  }
}

export interface SqliteOptions {
  /** Time limit of a report, in milliseconds. */
  readonly reportMs?: number | undefined;
  /** The built thread.ts. Without it reports and rollups run on this thread and block it. */
  readonly threadScript?: URL | undefined;
  /** How long events are kept. Default: for ever. */
  readonly keeping?: Keeping | undefined;
  /** Default: the clock of the machine. */
  readonly now?: (() => Instant) | undefined;
  /** Number of stored events after which rollups are brought up to date; a report adds the rest. */
  readonly buildAt?: number | undefined;
  /** Called about once a second while the rollups are rebuilt, and at the end. */
  readonly onProgress?: ((progress: RebuildProgress) => void) | undefined;
  /** Called when the files are deleted, moved or replaced, with advice; with undefined when they are back. */
  readonly onFilesChange?: ((trouble: string | undefined) => void) | undefined;
  readonly onRetry?: OnRetry | undefined;
}

const FOR_EVER: Keeping = { days: null, byType: {} };
const REPORT_MS = 15_000;
// A single event changes a dozen rows of rollups; a thousand events together change a few hundred.
const BUILD_AT = 1_000;

// One for long reports and one for short ones.
const REPORT_THREADS = 2;
// On a busy machine writes come first, then the rollups, then reports.
const BUILD_NICENESS = 5;
const REPORTS_NICENESS = 10;

/** The threads of a file: one for what the writes need, and some for reports. Undefined for `:memory:`. */
function threadsOf(db: Database, file: string, files: OpenFiles, script: URL | undefined) {
  if (script === undefined || file === ":memory:") return undefined;
  const shared = { file, script, guard: files.check };
  const pause = createLogPause(db, file);
  return {
    reports: createThreads({ ...shared, niceness: REPORTS_NICENESS, threads: REPORT_THREADS, pause }),
    // A slow report must not delay the rollups.
    planners: createThreads({ ...shared, niceness: BUILD_NICENESS, threads: 1 }),
  };
}

type StorageThreads = ReturnType<typeof threadsOf>;

function buildOf(db: Database, writer: Writer, threads: StorageThreads, options: SqliteOptions): RollupBuild {
  const { buildAt = BUILD_AT, onProgress, onRetry = () => {} } = options;
  const newestId = db.prepare<[], number>("select coalesce(max(id), 0) from events").pluck();
  const plan = createPlanner(db);
  return createRollupBuild({
    writer,
    rollups: createRollupWriter(db),
    newestId: () => newestId.get() ?? 0,
    plan: (most) => threads?.planners.run({ kind: "plan", most }) ?? reading(() => plan(most)),
    buildAt,
    onProgress,
    onRetry,
  });
}

function checkpointsOf(db: Database, threads: StorageThreads): Checkpoints | undefined {
  if (threads === undefined) return undefined;
  db.pragma(CHECKPOINTS_ELSEWHERE);
  return createCheckpoints(db, () => threads.planners.run({ kind: "checkpoint" }));
}

function writerOf(
  db: Database,
  cells: Cells,
  shelf: ExperimentShelf,
  files: OpenFiles,
  probe: WriteProbe,
  checkpoints: Checkpoints | undefined,
): Writer {
  return createWriter(db, {
    begin() {
      shelf.lock();
    },
    save() {
      cells.save();
      // Right before the commit: nothing is acknowledged that went to a file which is no longer there.
      files.check();
    },
    forget() {
      cells.forget();
      shelf.unlock();
      checkpoints?.afterCommit();
    },
    undo() {
      shelf.clear();
      probe.doubt();
    },
  });
}

/** The removal of users, and that of events which are older than they are kept. */
function removalsOf(
  db: Database,
  writer: Writer,
  shelf: ExperimentShelf,
  cells: Cells,
  build: RollupBuild,
  idsOf: IdsOf,
  threads: StorageThreads,
  { keeping = FOR_EVER, now = Date.now, onRetry = () => {} }: SqliteOptions,
): { readonly erasures: Erasures; readonly expiry: Expiry } {
  const leave = createLeaving(db, shelf, cells);
  const rollups = createRollupWriter(db);
  const remove = createRemover(db, rollups);
  const plan = createPlanner(db, false);
  const planner = threads === undefined ? planHere(db) : planOn(threads.planners);
  const removal = createEventRemoval({ db, writer, build, rollups, remove, plan, planner });
  const erasures = openErasures({
    db,
    writer,
    removal,
    leaveExperiments: (userId) => {
      // What the transaction has gathered so far belongs to the figures that the user leaves.
      cells.save();
      cells.forget();
      return leave(userId);
    },
    idsOf,
    now,
    onRetry,
  });
  const expiry = openExpiry({
    db,
    writer,
    rollups,
    build,
    remove,
    planner,
    removal,
    keeping,
    now,
    onRetry,
  });
  return { erasures, expiry };
}

const progressOf = async (build: RollupBuild, erasures: Erasures, expiry: Expiry) => ({
  rebuild: build.progress(),
  expiry: expiry.progress(),
  erasuresWaiting: (await erasures.figures()).waiting,
});

/** Annotations, saved questions, and what is known of expired events. */
const reportStoresOf = (db: Database, writer: Writer) => ({
  ...createAnnotationStore(db, writer),
  ...createSavedQuestionStore(db, writer),
  ...createExpiredEvents(db),
});

/** Opens the file, creates or upgrades its tables, and serves the port from it. `:memory:` keeps nothing. */
export function openSqlite(file: string, options: SqliteOptions = {}): Storage {
  const db = openUsable(file);
  const { onRetry = () => {} } = options;
  const alive = db.prepare("select 1 from sqlite_schema limit 1");
  const shelf = createExperimentShelf(db);
  const cells = createCells(db);
  const periods = createWeightPeriods(db);
  const files = watchOpenFiles(db, file, options.onFilesChange);
  const probe = createWriteProbe(db);
  const threads = threadsOf(db, file, files, options.threadScript);
  const writer = writerOf(db, cells, shelf, files, probe, checkpointsOf(db, threads));
  const { check: beforeCommit } = files;
  const deletions = createDeletions({ db, writer, beforeCommit, onDelete: shelf.clear, onRetry });
  deletions.resume();
  const idsOf = createIdsOf(db);
  const finder = createAssignmentFinder(db, periods, idsOf);
  const counter = createEventCounter(finder, shelf, cells);
  const build = buildOf(db, writer, threads, options);
  const answerer = threads === undefined ? answerHere(db) : answerOn(threads.reports);
  const { erasures, expiry } = removalsOf(db, writer, shelf, cells, build, idsOf, threads, options);
  const questions = createQuestions(build, erasures, answerer, options.reportMs ?? REPORT_MS);
  const covariates = createCovariateBacklog(db, shelf, finder, cells, questions);
  const backlog = createTallyBacklog(db, writer, shelf, finder, cells, periods, counter, covariates, onRetry);
  void backlog.work();
  build.start();
  erasures.resume();
  expiry.start();
  return {
    ...createEventStore(db, writer, shelf, build, counter),
    ...questions,
    ...createPersonReader(db),
    ...createLinkStore(db, writer, shelf.clear),
    ...reportStoresOf(db, writer),
    ...createShareStore(db, writer),
    eraseUser: erasures.eraseUser,
    listErasures: erasures.listErasures,
    ...createExperimentStore(db, writer, shelf, deletions, periods, () => void backlog.work()),
    ...createAssignmentStore(db, writer, shelf, finder, idsOf, cells, periods),
    ...createMetricStore(db, writer, shelf, finder, cells, createCellReader(db, cells)),
    hasRoom: writer.hasRoom,
    check: async () => {
      const condition = await conditionOf(() => {
        alive.get();
        files.check();
        probe.check();
      });
      return { ...condition, ...(await progressOf(build, erasures, expiry)) };
    },
    figures: createFigures(db, writer, build, erasures, expiry),
    close: async () => {
      await backlog.stop();
      await expiry.stop();
      await erasures.stop();
      await build.close();
      await Promise.all([threads?.reports.close(), threads?.planners.close()]);
      await deletions.stop();
      await writer.drain();
      files.close();
      db.pragma("optimize");
      db.close();
    },
  };
}
