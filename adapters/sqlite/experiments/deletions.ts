import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "better-sqlite3";
import type { OnRetry } from "../../../domain/storage.ts";
import { type Background, createBackground } from "../../background/background.ts";
import { asFailure, isBusy } from "../failures.ts";
import type { Writer } from "../writer.ts";

/** Deletes experiments: at once for every reader, and the many rows of their users bit by bit. */
export interface Deletions extends Pick<Background, "stop"> {
  /** False where there is no such experiment. */
  deleteExperiment(testId: number): Promise<boolean>;
  /** Goes on with the deletions that were not finished when the file was last closed. */
  resume(): void;
}

export interface DeletionParts {
  readonly db: Database;
  readonly writer: Writer;
  /** Throws when the transaction must not be committed. */
  readonly beforeCommit: () => void;
  /** Called when an experiment has been deleted. */
  readonly onDelete: () => void;
  readonly onRetry: OnRetry;
}

// About five milliseconds of work in one transaction.
const ROWS_A_SLICE = 2_000;
const IDS_A_SLICE = 20_000;
// Leaves the event loop and the disk to requests between two slices.
const PAUSE_MS = 5;
const LOCK_PATIENCE_MS = 3_000;
const LOCK_RETRY_MS = 20;

/** Tables with few rows for each experiment, or with rows that must disappear at once. */
const AT_ONCE = [
  "ab_variants",
  "ab_settings",
  "ab_periods",
  "ab_cell_users",
  "ab_raw_values",
  "ab_tally_backlog",
];

/** Deletes a slice of one table; answers where the next slice begins, undefined at the end. */
type Slice = (testId: number, after: number) => number | undefined;

/** Of a table with ids and no index by experiment: goes through all its ids once. */
function sliceById(db: Database, table: "ab_assignments" | "ab_metrics"): Slice {
  const find = db
    .prepare<[number, number, number], number>(
      `select id from ${table} where id > ? and id <= ? and test_id = ? order by id limit ${ROWS_A_SLICE}`,
    )
    .pluck();
  const remove = db.prepare<[string]>(`delete from ${table} where id in (select value from json_each(?))`);
  const newest = db.prepare<[], number | null>(`select max(id) from ${table}`).pluck();
  return (testId, after) => {
    const end = after + IDS_A_SLICE;
    const ids = find.all(after, end, testId);
    if (ids.length > 0) remove.run(JSON.stringify(ids));
    const reached = ids.length === ROWS_A_SLICE ? (ids.at(-1) ?? end) : end;
    return reached < (newest.get() ?? 0) ? reached : undefined;
  };
}

/** Of a table whose key begins with the experiment. */
function sliceByKey(db: Database, table: string, key: string): Slice {
  const remove = db.prepare<[number]>(
    `delete from ${table} where (${key}) in (select ${key} from ${table} where test_id = ? limit ${ROWS_A_SLICE})`,
  );
  return (testId) => (remove.run(testId).changes === ROWS_A_SLICE ? 0 : undefined);
}

const slicesOf = (db: Database): readonly Slice[] => [
  sliceByKey(db, "ab_forced", "test_id, user_id"),
  sliceByKey(db, "ab_cell_sums", "test_id, day, variant_id, period, metric_name, declared"),
  sliceByKey(db, "ab_attributes", "test_id, user_id"),
  sliceByKey(db, "ab_observations", "test_id, user_id, metric_name"),
  sliceByKey(db, "ab_past_observations", "test_id, user_id, metric_name, day"),
  sliceByKey(db, "ab_user_raw_values", "test_id, user_id, metric_name"),
  sliceByKey(db, "ab_removed_messages", "test_id, message_id"),
  sliceById(db, "ab_assignments"),
  sliceById(db, "ab_metrics"),
];

export function createDeletions({ db, writer, beforeCommit, onDelete, onRetry }: DeletionParts): Deletions {
  const slices = slicesOf(db);
  const selectPending = db.prepare<[], number>("select test_id from ab_deletions order by test_id").pluck();
  const finish = db.prepare<[number]>("delete from ab_deletions where test_id = ?");

  const erase = db.transaction((testId: number): boolean => {
    if (db.prepare("delete from ab_tests where id = ?").run(testId).changes === 0) return false;
    for (const table of AT_ONCE) db.prepare(`delete from ${table} where test_id = ?`).run(testId);
    db.prepare("insert into ab_deletions(test_id) values (?)").run(testId);
    beforeCommit();
    return true;
  });

  /** Without foreign keys, because their cascade would search the tables of all users, in one transaction. */
  function eraseWithoutCascade(testId: number): boolean {
    db.pragma("foreign_keys = off");
    try {
      return erase.immediate(testId);
    } finally {
      db.pragma("foreign_keys = on");
    }
  }

  const background = createBackground("deletions", onRetry, async ({ signal, pause }) => {
    const [testId] = selectPending.all();
    if (testId === undefined) return false;
    for (const slice of slices) {
      let after: number | undefined = 0;
      while (after !== undefined) {
        const from: number = after;
        after = await writer.write(ROWS_A_SLICE, () => slice(testId, from));
        await pause(PAUSE_MS);
        if (signal.aborted) return false;
      }
    }
    await writer.write(1, () => finish.run(testId));
    return true;
  });
  const resume = (): void => void background.work();

  return {
    resume,
    async deleteExperiment(testId) {
      const deadline = Date.now() + LOCK_PATIENCE_MS;
      for (;;) {
        try {
          const deleted = eraseWithoutCascade(testId);
          onDelete();
          if (deleted) resume();
          return deleted;
        } catch (error) {
          if (!isBusy(error) || Date.now() > deadline) throw asFailure(error, "write");
          await sleep(LOCK_RETRY_MS);
        }
      }
    },
    stop: background.stop,
  };
}
