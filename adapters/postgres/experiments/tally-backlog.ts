import { readMetrics } from "../../../domain/experiments/metric-declaration.ts";
import type { EventQuestions, OnRetry } from "../../../domain/storage.ts";
import { type Background, createBackground } from "../../background/background.ts";
import type { Query } from "../client.ts";
import type { Database } from "../database.ts";
import { watchedColumns } from "../events.ts";
import { EVENT_TIME } from "../reports/event-source.ts";
import { contributionColumns } from "./contributions.ts";
import { type FoundCovariates, findCovariates, setCovariates } from "./covariate-backlog.ts";
import { readDefinitions, type WatchedEvent, watchedEvents, watchesOf } from "./definitions.ts";
import { ALL_DAYS, anySlice, dayOf, endOf, epochOf, periodAt } from "./expressions.ts";
import { TALLY_STORED, TALLY_WITHOUT_USERS } from "./value-statements.ts";

interface BacklogRow {
  readonly id: number;
  readonly source: "assignments" | "covariates" | "values" | "events";
  /** All experiments where it is null. */
  readonly test_id: number | null;
  /** The one metric whose sums are to change; all where it is null. */
  readonly metric_name: string | null;
  /** Rows of this revision and later ones have been counted when they were stored; null where none have. */
  readonly before_revision: number | null;
  /** Where the next row begins: of assignments by their user and test, of the others by their id. */
  readonly next_user: string;
  readonly next_id: number;
  /** Null for all rows. */
  readonly through_id: number | null;
}

interface Reached {
  readonly next_user: string;
  readonly next_id: number;
  readonly rows: number;
  readonly done: boolean;
}

const ROWS_A_STEP = 500;
const EVENTS_A_STEP = 2_000;
const WAIT_MS = 100;

// A transaction that began before a metric was added may not have committed yet: its rows would be passed over.
const NEXT = `
  select id, source, test_id, metric_name, before_revision, next_user, next_id, through_id from ab_tally_backlog
  where after_transaction is null or pg_snapshot_xmin(pg_current_snapshot()) > after_transaction
  order by id limit 1 for update skip locked`;
// The same row, where covariates are to be found for it.
const COVARIATES_NEXT = `
  select * from (
    select id, source, test_id, metric_name, before_revision, next_user, next_id, through_id from ab_tally_backlog
    where after_transaction is null or pg_snapshot_xmin(pg_current_snapshot()) > after_transaction
    order by id limit 1) next
  where source = 'covariates'`;
const IS_WAITING = "select 1 from ab_tally_backlog limit 1";
const ADVANCE = `
  update ab_tally_backlog set next_user = $2, next_id = $3, pending = greatest(1, pending - $4) where id = $1`;

// Found by the primary key: assignments have no index by their id.
const COUNT_ASSIGNMENTS = `
  with batch as (
    select user_id, test_id from ab_assignments where (user_id, test_id) > ($1, $2)
    order by user_id, test_id limit ${ROWS_A_STEP}
  ),
  counted as (
    update ab_assignments a
    set period = ${periodAt("a.test_id", epochOf("a.assigned_at"))}
    from batch where batch.user_id = a.user_id and batch.test_id = a.test_id and a.period is null
    returning a.test_id, a.variant_id, a.period, ${epochOf("a.assigned_at")} as assigned_at
  ),
  users as (
    insert into ab_cell_users as u (test_id, day, variant_id, period, slice, users)
    select test_id, each.day, variant_id, period, $3::integer, count(*)
    from counted cross join lateral (values (${dayOf("assigned_at")}), (${ALL_DAYS})) as each(day)
    group by test_id, each.day, variant_id, period order by test_id, each.day, variant_id, period
    on conflict (test_id, day, variant_id, period, slice) do update set users = u.users + excluded.users
  )
  select user_id as next_user, test_id as next_id from batch order by user_id, test_id`;

// Values that arrived after the stop do not count, as when they arrived.
const VALUES = `
  select m.id, m.test_id, m.user_id, m.metric_name, m.value, m.occurred_at,
    coalesce(${epochOf("m.created_at")} > least(s.stopped_at, ${endOf("s")}), false) as late
  from ab_metrics m left join ab_settings s on s.test_id = m.test_id
  where m.id > $1 and m.id <= coalesce($2, m.id) and coalesce(m.revision < $3, true)
  order by m.id limit ${ROWS_A_STEP}`;

const EVENTS = `
  select id, event_type, user_id, properties, ${EVENT_TIME} as occurred_at, ${epochOf("created_at")} as created_at
  from events where id > $1 and id <= coalesce($2, id) and coalesce(revision < $3, true)
  order by id limit ${EVENTS_A_STEP}`;

const SETTINGS = `
  select test_id, least(stopped_at, ${endOf("s")}) as ends_at, metrics from ab_settings s where test_id = coalesce($1, test_id) and metrics <> '[]'`;

interface ValueRow {
  readonly id: number;
  readonly test_id: number;
  readonly user_id: string | null;
  readonly metric_name: string;
  readonly value: number;
  readonly occurred_at: number;
  readonly late: boolean;
}

interface EventRow {
  readonly id: number;
  readonly event_type: string;
  readonly user_id: string | null;
  readonly properties: string | null;
  readonly occurred_at: number;
  readonly created_at: number;
}

async function tally(query: Query, values: readonly WatchedEvent[], only: string | null, areRaw: boolean) {
  if (values.length === 0) return;
  const { metrics } = await readDefinitions(query);
  const named = values.map((value, index) => ({ ...value, value_id: index + 1 }));
  await query(TALLY_STORED, [
    ...watchedColumns(values),
    anySlice(),
    ...contributionColumns(named, metrics, only),
    areRaw,
  ]);
}

async function tallyValues(query: Query, backlog: BacklogRow): Promise<Reached> {
  const { test_id, metric_name, next_id, through_id, before_revision } = backlog;
  const rows = await query<ValueRow>(VALUES, [next_id, through_id, before_revision]);
  const asked = rows.filter((row) => row.test_id === (test_id ?? row.test_id));
  const withoutUser = asked.flatMap(({ id, user_id }) => (user_id === null ? [id] : []));
  if (withoutUser.length > 0 && metric_name === null)
    await query(TALLY_WITHOUT_USERS, [withoutUser, anySlice()]);
  const values = asked.flatMap(({ id, user_id, late, value, ...row }): WatchedEvent[] => {
    if (user_id === null) return [];
    const found = late
      ? ({ kind: "dropped", reason: "after_stop" } as const)
      : { kind: "value" as const, value };
    return [{ ...row, event_id: id, user_id, latest_at: row.occurred_at, found }];
  });
  await tally(query, values, metric_name, metric_name === null);
  return reachedBy(rows, ROWS_A_STEP);
}

async function tallyEvents(query: Query, backlog: BacklogRow): Promise<Reached> {
  const { test_id, metric_name, next_id, through_id, before_revision } = backlog;
  const settings = await query<{ test_id: number; ends_at: number | null; metrics: string }>(SETTINGS, [
    test_id,
  ]);
  const ends = new Map(settings.map((row) => [row.test_id, row.ends_at ?? Number.POSITIVE_INFINITY]));
  const watches = watchesOf(
    settings.map((row) => ({ test_id: row.test_id, metrics: readMetrics(row.metrics) })),
  );
  const rows = await query<EventRow>(EVENTS, [next_id, through_id, before_revision]);
  const values = rows.flatMap((row) => watchedEvents({ watches, ends }, row));
  // Its own events have never been raw values; those of its denominator have, and change no raw values here.
  await tally(query, values, metric_name, true);
  return reachedBy(rows, EVENTS_A_STEP);
}

const reachedBy = (rows: readonly { readonly id: number }[], most: number): Reached => ({
  next_user: "",
  next_id: rows.at(-1)?.id ?? 0,
  rows: rows.length,
  done: rows.length < most,
});

async function countAssignments(query: Query, { next_user, next_id }: BacklogRow): Promise<Reached> {
  const rows = await query<{ next_user: string; next_id: number }>(COUNT_ASSIGNMENTS, [
    next_user,
    next_id,
    anySlice(),
  ]);
  const last = rows.at(-1) ?? { next_user, next_id };
  return { ...last, rows: rows.length, done: rows.length < ROWS_A_STEP };
}

/** The next covariates, and the row of the backlog that they were found for. */
interface Found {
  readonly of: BacklogRow;
  readonly covariates: FoundCovariates;
}

async function takeCovariates(query: Query, backlog: BacklogRow, found: Found | undefined): Promise<Reached> {
  const { next_user, next_id } = backlog;
  const isFound = found?.of.id === backlog.id && found.of.next_user === next_user;
  if (!isFound) return { next_user, next_id, rows: 0, done: false };
  const { rows, done, last } = found.covariates;
  await setCovariates(query, backlog, found.covariates);
  return { next_user: last, next_id, rows, done };
}

const STEPS = { assignments: countAssignments, values: tallyValues, events: tallyEvents };

/** "waiting" where another transaction, or another process at work on it, has to end first; false where nothing is left. */
async function step(query: Query, found: Found | undefined): Promise<boolean | "waiting"> {
  const [backlog] = await query<BacklogRow>(NEXT);
  if (backlog === undefined) return (await query(IS_WAITING)).length > 0 && "waiting";
  const { next_user, next_id, rows, done } =
    backlog.source === "covariates"
      ? await takeCovariates(query, backlog, found)
      : await STEPS[backlog.source](query, backlog);
  if (done) await query("delete from ab_tally_backlog where id = $1", [backlog.id]);
  else await query(ADVANCE, [backlog.id, next_user, next_id, rows]);
  return true;
}

/** Tallies what was stored before there were sums for it, in small transactions; of several processes one at a time. */
export function createTallyBacklog(
  database: Database,
  questions: Pick<EventQuestions, "userFacts">,
  onRetry: OnRetry,
): Pick<Background, "work" | "stop"> {
  /** Reports need connections of their own: they are asked before the transaction that takes one. */
  async function takeStep(): Promise<boolean | "waiting"> {
    const [next] = await database.query<BacklogRow>(COVARIATES_NEXT);
    const found = next && { of: next, covariates: await findCovariates(database.query, next, questions) };
    return database.transaction((query) => step(query, found));
  }

  return createBackground("tallies", onRetry, async ({ pause }) => {
    const goesOn = await takeStep();
    if (goesOn === "waiting") await pause(WAIT_MS);
    return goesOn !== false;
  });
}
