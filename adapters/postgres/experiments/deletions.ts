import type { OnRetry } from "../../../domain/storage.ts";
import { type Background, createBackground } from "../../background/background.ts";
import type { Query } from "../client.ts";
import type { Database } from "../database.ts";

/** Deletes experiments: at once for every reader, and the many rows of their users bit by bit. */
export interface Deletions extends Pick<Background, "stop"> {
  /** False where there is no such experiment. */
  deleteExperiment(testId: number): Promise<boolean>;
  /** Goes on with deletions that another process, or an earlier one, has not finished. */
  resume(): void;
}

const ROWS_A_SLICE = 5_000;
// Leaves the server to requests between two slices.
const PAUSE_MS = 5;
// The last step has each foreign key search a whole table, of which nothing is left to delete.
const FINISH_PATIENCE_MS = 3_600_000;

/** An SQL condition: the experiment of this column was not deleted. */
export const isKept = (testId: string): string =>
  `not exists (select from ab_deletions d where d.test_id = ${testId})`;

/** Tables with few rows for each experiment, or with rows that must disappear at once. */
const AT_ONCE = [
  "ab_forced",
  "ab_periods",
  "ab_cell_users",
  "ab_cell_sums",
  "ab_raw_values",
  "ab_tally_backlog",
];

interface Swept {
  readonly table: string;
  /** The primary key, in whose order the table is gone through, and the types of its columns. */
  readonly key: Readonly<Record<string, "text" | "bigint" | "bytea" | "boolean" | "integer">>;
}

// No table of users has an index by experiment, which each assignment and each value would pay for.
const SWEPT: readonly Swept[] = [
  { table: "ab_assignments", key: { user_id: "text", test_id: "bigint" } },
  { table: "ab_attributes", key: { user_id: "text", test_id: "bigint" } },
  { table: "ab_observations", key: { user_id: "text", test_id: "bigint", metric_name: "text" } },
  {
    table: "ab_past_observations",
    key: { user_id: "text", test_id: "bigint", metric_name: "text", declared: "boolean", day: "integer" },
  },
  { table: "ab_user_raw_values", key: { user_id: "text", test_id: "bigint", metric_name: "text" } },
  { table: "ab_metric_messages", key: { message_id: "bytea", test_id: "bigint" } },
  { table: "ab_metrics", key: { id: "bigint" } },
];

/** Looks at the next rows after `$2…` in the order of the key, and deletes those of experiment `$1`. */
function sliceOf({ table, key }: Swept): string {
  const columns = Object.keys(key);
  const after = Object.values(key).map((type, index) => `$${index + 2}::${type}`);
  const list = columns.join(", ");
  return `
    with slice as (
      select ${list}, test_id as of_test from ${table}
      where $2::text is null or (${list}) > (${after.join(", ")})
      order by ${list} limit ${ROWS_A_SLICE}
    ),
    gone as (
      delete from ${table} t using slice s
      where ${columns.map((column) => `t.${column} = s.${column}`).join(" and ")} and s.of_test = $1
    )
    select count(*)::int as rows,
      (select json_build_array(${columns.map((column) => `${column}::text`).join(", ")})
        from slice order by ${columns.map((column) => `${column} desc`).join(", ")} limit 1) as last
    from slice`;
}

const SLICES = SWEPT.map((swept) => ({ sql: sliceOf(swept), width: Object.keys(swept.key).length }));

// Its name is free at once. No new user is counted, and no event is a value of it: archived, it has no metrics.
const MARK = `
  with marked as (
    insert into ab_deletions(test_id) select id from ab_tests where id = $1
    on conflict (test_id) do nothing returning test_id
  ),
  settled as (
    update ab_settings set status = 'archived', metrics = '[]' where test_id in (select test_id from marked)
  )
  update ab_tests set test_name = 'deleted ' || id || ' ' || gen_random_uuid()
  where id in (select test_id from marked) returning id`;

async function mark(query: Query, testId: number): Promise<boolean> {
  const marked = await query(MARK, [testId]);
  if (marked.length === 0) return false;
  for (const table of AT_ONCE) await query(`delete from ${table} where test_id = $1`, [testId]);
  await query("update ab_revision set revision = revision + 1");
  return true;
}

interface Pending {
  readonly test_id: number;
  /** Which of the swept tables is next. */
  readonly stage: number;
  /** The key up to which that table was gone through. */
  readonly reached: readonly string[] | null;
}

/** Another process that is at work on the same experiment is not waited for. */
const NEXT =
  "select test_id, stage, reached from ab_deletions order by test_id limit 1 for update skip locked";

async function finish(query: Query, testId: number): Promise<void> {
  await query("delete from ab_tests where id = $1", [testId]);
  // A request that had begun before the experiment was marked may have counted a user or a value since.
  for (const table of [...AT_ONCE, ...SWEPT.map((swept) => swept.table)])
    await query(`delete from ${table} where test_id = $1`, [testId]);
  await query("delete from ab_deletions where test_id = $1", [testId]);
}

/** Sweeps one slice; false where nothing is left for this process. */
async function sweepSlice(query: Query): Promise<boolean> {
  const [pending] = await query<Pending>(NEXT);
  if (pending === undefined) return false;
  const { test_id, stage, reached } = pending;
  const slice = SLICES[stage];
  if (slice === undefined) {
    await finish(query, test_id);
    return true;
  }
  const after = reached ?? Array.from({ length: slice.width }, () => null);
  const [swept] = await query<{ rows: number; last: string[] | null }>(slice.sql, [test_id, ...after]);
  const goesOn = swept?.rows === ROWS_A_SLICE;
  await query("update ab_deletions set stage = $2, reached = $3 where test_id = $1", [
    test_id,
    goesOn ? stage : stage + 1,
    goesOn ? JSON.stringify(swept.last) : null,
  ]);
  return true;
}

export function createDeletions(database: Database, onRetry: OnRetry): Deletions {
  const background = createBackground("deletions", onRetry, async ({ pause }) => {
    const goesOn = await database.transaction(sweepSlice, FINISH_PATIENCE_MS);
    if (goesOn) await pause(PAUSE_MS);
    return goesOn;
  });
  const resume = (): void => void background.work();

  return {
    resume,
    async deleteExperiment(testId) {
      const deleted = await database.transaction((query) => mark(query, testId));
      if (deleted) resume();
      return deleted;
    },
    stop: background.stop,
  };
}
