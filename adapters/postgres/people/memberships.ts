import { contributionsOf } from "../../../domain/experiments/user-total.ts";
import type { Query } from "../client.ts";
import { readDefinitions } from "../experiments/definitions.ts";
import { ALL_DAYS, anySlice, dayOf, epochOf } from "../experiments/expressions.ts";
import { observation } from "../experiments/value-statements.ts";

interface Member {
  readonly test_id: number;
  readonly variant_id: number;
  /** Null where the cells do not count the assignment yet. */
  readonly period: number | null;
  readonly day: number;
}

/** A user's total of a metric at the end of a day. Decimals are text. */
interface TotalRow {
  readonly test_id: number;
  readonly metric_name: string;
  readonly declared: boolean;
  readonly day: number;
  readonly count: number;
  readonly total: string;
  readonly denominator_count: number;
  readonly denominator_total: string;
  readonly covariate: string;
}

interface RawRow {
  readonly test_id: number;
  readonly metric_name: string;
  readonly variant_id: number;
  readonly period: number;
}

const ASSIGNMENTS = `
  delete from ab_assignments where user_id = $1
  returning test_id, variant_id, period, ${dayOf(epochOf("assigned_at"))} as day`;

const totalsOf = (table: string): string => `
  delete from ${table} where user_id = $1
  returning test_id, metric_name, declared, day, count, total::text as total, denominator_count,
    denominator_total::text as denominator_total, covariate::text as covariate`;

const RAWS = `
  select test_id, metric_name, variant_id, period from ab_user_raw_values where user_id = $1
  order by test_id, metric_name for update`;

const NO_USERS = `
  insert into ab_cell_users as u (test_id, day, variant_id, period, slice, users)
  select m.test_id, each.day, variant_id, period, $5::integer, -1
  from unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[]) as m(test_id, variant_id, period, day)
  cross join lateral (values (m.day), (${ALL_DAYS})) as each(day)
  order by m.test_id, each.day
  on conflict (test_id, day, variant_id, period, slice) do update set users = u.users + excluded.users`;

// Of each day, the change of the user's observation is taken back: see moveCells in value-statements.ts.
const NO_SUMS = `
  with state as (
    select * from unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[], $5::boolean[], $6::text[], $7::numeric[],
      $8::text[], $9::numeric[], $10::integer[], $11::bigint[], $12::numeric[], $13::bigint[], $14::numeric[],
      $15::numeric[]) as s(test_id, variant_id, period, metric_name, declared, kind, cap, denominator_kind,
      denominator_cap, day, count, total, denominator_count, denominator_total, covariate)
  ),
  moved as (
    select *, coalesce(lag(count) over days, 0) as old_count, coalesce(lag(total) over days, 0) as old_total,
      coalesce(lag(covariate) over days, 0) as old_covariate,
      coalesce(lag(denominator_count) over days, 0) as old_denominator_count,
      coalesce(lag(denominator_total) over days, 0) as old_denominator_total
    from state window days as (partition by test_id, metric_name order by day)
  ),
  observed as (
    select *,
      ${observation("kind", "cap", "old_count", "old_total")} as y0,
      ${observation("kind", "cap", "count", "total")} as y1,
      case when denominator_kind is null then 0 else ${observation("denominator_kind", "denominator_cap", "old_denominator_count", "old_denominator_total")} end as d0,
      case when denominator_kind is null then 0 else ${observation("denominator_kind", "denominator_cap", "denominator_count", "denominator_total")} end as d1
    from moved
  )
  insert into ab_cell_sums as s (test_id, day, variant_id, period, metric_name, declared, slice, users_with_value,
    users_not_zero, count, y, yy, x, xx, xy, d, dd, yd)
  select test_id, each.day, variant_id, period, metric_name, declared, $16::integer,
    sum((old_count > 0)::integer - (count > 0)::integer), sum((y0 <> 0)::integer - (y1 <> 0)::integer),
    sum(old_count - count), sum(y0 - y1), sum(y0 * y0 - y1 * y1), 0, 0, sum(old_covariate * y0 - covariate * y1), sum(d0 - d1),
    sum(d0 * d0 - d1 * d1), sum(y0 * d0 - y1 * d1)
  from observed cross join lateral (values (observed.day), (${ALL_DAYS})) as each(day)
  group by test_id, each.day, variant_id, period, metric_name, declared
  order by test_id, each.day, variant_id, period, metric_name, declared
  on conflict (test_id, day, variant_id, period, metric_name, declared, slice) do update set
    users_with_value = s.users_with_value + excluded.users_with_value,
    users_not_zero = s.users_not_zero + excluded.users_not_zero, count = s.count + excluded.count,
    y = s.y + excluded.y, yy = s.yy + excluded.yy, xy = s.xy + excluded.xy, d = s.d + excluded.d,
    dd = s.dd + excluded.dd, yd = s.yd + excluded.yd`;

const NO_COVARIATES = `
  insert into ab_cell_sums as s (test_id, day, variant_id, period, metric_name, declared, slice, users_with_value,
    users_not_zero, count, y, yy, x, xx, xy, d, dd, yd)
  select c.test_id, each.day, variant_id, period, metric_name, declared, $8::integer, 0, 0, 0, 0, 0, -x, -x * x, 0, 0, 0,
    0
  from unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[], $5::text[], $6::boolean[], $7::numeric[])
    as c(test_id, variant_id, period, day, metric_name, declared, x)
  cross join lateral (values (c.day), (${ALL_DAYS})) as each(day)
  order by c.test_id, each.day, metric_name
  on conflict (test_id, day, variant_id, period, metric_name, declared, slice) do update set
    x = s.x + excluded.x, xx = s.xx + excluded.xx`;

const NO_RAW = `
  with own as (
    delete from ab_user_raw_values where user_id = $1
    returning *
  )
  insert into ab_raw_values as r (test_id, variant_id, metric_name, slice, count, sum, min, max, before_assignment,
    after_stop, after_window, wrong_type, out_of_range)
  select test_id, variant_id, metric_name, $2::integer, -count, -sum, null, null, -before_assignment, -after_stop,
    -after_window, -wrong_type, -out_of_range
  from own order by test_id, variant_id, metric_name
  on conflict (test_id, variant_id, metric_name, slice) do update set
    count = r.count + excluded.count, sum = r.sum + excluded.sum,
    before_assignment = r.before_assignment + excluded.before_assignment,
    after_stop = r.after_stop + excluded.after_stop, after_window = r.after_window + excluded.after_window,
    wrong_type = r.wrong_type + excluded.wrong_type, out_of_range = r.out_of_range + excluded.out_of_range`;

// With these rows locked, each value of another user that is in them is in that user's own row too.
const LOCK_RAW = `
  select slice from ab_raw_values where test_id = $1 and variant_id = $2 and metric_name = $3 order by slice for update`;
const SET_ENDS = `
  update ab_raw_values r set min = case when e.min is not null then greatest(r.min, e.min) end,
    max = case when e.max is not null then least(r.max, e.max) end
  from (
    select min(min) as min, max(max) as max from ab_user_raw_values
    where test_id = $1 and variant_id = $2 and metric_name = $3) e
  where r.test_id = $1 and r.variant_id = $2 and r.metric_name = $3 and r.min is not null`;

const column = <Row, Key extends keyof Row>(rows: readonly Row[], key: Key): Row[Key][] =>
  rows.map((row) => row[key]);

/** The totals with what is known of their metric and of the user's place in the experiment. */
async function placed(
  query: Query,
  totals: readonly TotalRow[],
  members: ReadonlyMap<number, { readonly variant_id: number; readonly period: number }>,
) {
  const { metrics } = await readDefinitions(query);
  return totals.flatMap((row) => {
    const member = members.get(row.test_id);
    const definitions = row.declared ? (metrics.get(row.test_id) ?? []) : [];
    const [own] = contributionsOf(definitions, row.metric_name);
    return member === undefined || own === undefined ? [] : [{ ...row, ...member, metric: own.metric }];
  });
}

type PlacedTotal = Awaited<ReturnType<typeof placed>>[number];

const sumsColumns = (rows: readonly PlacedTotal[]): unknown[] => [
  column(rows, "test_id"),
  column(rows, "variant_id"),
  column(rows, "period"),
  column(rows, "metric_name"),
  column(rows, "declared"),
  rows.map(({ metric }) => metric.kind),
  rows.map(({ metric }) => metric.cap),
  rows.map(({ metric }) => metric.denominator?.kind ?? null),
  rows.map(({ metric }) => metric.denominator?.cap ?? null),
  column(rows, "day"),
  column(rows, "count"),
  column(rows, "total"),
  column(rows, "denominator_count"),
  column(rows, "denominator_total"),
  column(rows, "covariate"),
];

async function giveBackSums(query: Query, rows: readonly PlacedTotal[]): Promise<void> {
  if (rows.length > 0) await query(NO_SUMS, [...sumsColumns(rows), anySlice()]);
}

async function giveBackCovariates(
  query: Query,
  rows: readonly PlacedTotal[],
  members: readonly Member[],
): Promise<void> {
  const days = new Map(members.map(({ test_id, day }) => [test_id, day]));
  const some = rows.filter(({ covariate, test_id }) => Number(covariate) !== 0 && days.has(test_id));
  if (some.length === 0) return;
  await query(NO_COVARIATES, [
    column(some, "test_id"),
    column(some, "variant_id"),
    column(some, "period"),
    some.map(({ test_id }) => days.get(test_id)),
    column(some, "metric_name"),
    column(some, "declared"),
    column(some, "covariate"),
    anySlice(),
  ]);
}

async function giveBackRaws(query: Query, userId: string, raws: readonly RawRow[]): Promise<void> {
  await query(NO_RAW, [userId, anySlice()]);
  for (const { test_id, variant_id, metric_name } of raws) {
    const key = [test_id, variant_id, metric_name];
    await query(LOCK_RAW, key);
    await query(SET_ENDS, key);
  }
}

async function giveBackUsers(query: Query, members: readonly Member[]): Promise<void> {
  const counted = members.filter(({ period }) => period !== null);
  if (counted.length === 0) return;
  await query(NO_USERS, [
    column(counted, "test_id"),
    column(counted, "variant_id"),
    column(counted, "period"),
    column(counted, "day"),
    anySlice(),
  ]);
}

/** What was removed of a user. */
export interface Left {
  readonly assignments: number;
  /** Whether there was nothing of the user in any experiment. */
  readonly isNothing: boolean;
}

/** Takes a user out of all experiments, within the transaction of the query. */
export async function leaveExperiments(query: Query, userId: string): Promise<Left> {
  const members = await query<Member>(ASSIGNMENTS, [userId]);
  const totals = await query<TotalRow>(totalsOf("ab_observations"), [userId]);
  const past = await query<TotalRow>(totalsOf("ab_past_observations"), [userId]);
  const raws = await query<RawRow>(RAWS, [userId]);
  await query("delete from ab_attributes where user_id = $1", [userId]);
  await query("delete from ab_forced where user_id = $1", [userId]);
  // A value that was being stored meanwhile has the place in its own row, though the assignment is gone.
  const places = new Map(
    [...raws, ...members].map(({ test_id, variant_id, period }) => [
      test_id,
      { variant_id, period: period ?? 0 },
    ]),
  );
  const isCurrent = (row: TotalRow): boolean =>
    totals.some(
      (one) =>
        one.test_id === row.test_id && one.metric_name === row.metric_name && one.declared === row.declared,
    );
  const now = await placed(query, totals, places);
  await giveBackUsers(query, members);
  await giveBackSums(query, [...now, ...(await placed(query, past.filter(isCurrent), places))]);
  await giveBackCovariates(query, now, members);
  await giveBackRaws(query, userId, raws);
  return {
    assignments: members.length,
    isNothing: members.length + totals.length + raws.length === 0,
  };
}
