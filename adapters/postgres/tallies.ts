import type {
  DayTally,
  ExperimentTally,
  MetricTally,
  Period,
  VariantTally,
} from "../../domain/experiments/tally.ts";
import type { Database } from "./database.ts";

const SLICES = 32;

/** Among this many rows each figure is spread; each statement picks one of them. */
export const anySlice = (): number => Math.floor(Math.random() * SLICES);

/** An SQL expression: the day of an epoch time in milliseconds. */
export const dayOf = (milliseconds: string): string => `floor(${milliseconds} / 86400000.0)::integer`;

/** An SQL expression: epoch milliseconds of a timestamptz. */
export const epochOf = (time: string): string => `round(extract(epoch from ${time}) * 1000)::bigint`;

/** An SQL expression: a timestamptz of epoch milliseconds. */
export const timeOf = (milliseconds: string): string => `to_timestamp(${milliseconds} / 1000.0)`;

/** The day of the rows that add up all days; no instant that is accepted has one as early. */
export const ALL_DAYS = -1_000_000;

/** When an experiment ends by itself, of a row of its settings: see endOf in domain/experiments/lifecycle.ts. */
export const endOf = (settings: string): string => `
  least(${settings}.stop_at, ${settings}.planned_users_reached_at + ${settings}.window_days * 86400000)`;

/** An SQL expression: the weight period in which an assignment of this time falls. */
export const periodAt = (testId: string, assignedAt: string): string => `
      coalesce((select max(period) from ab_periods where test_id = ${testId} and started_at <= ${assignedAt}), 0)`;

/**
 * Further parts of a `with`, which count the users of its part `won(turn, test_id, variant_id, assigned_at)`: under the
 * latest weights, on the day of the assignment, or on a later one that is known already.
 */
export const countUsers = (slice: string): string => `
  current as (
    select test_id, variant_id, max(epoch) as epoch, (array_agg(weight order by epoch desc))[1] as weight,
      max(day) filter (where users > 0) as last_day
    from ab_users where (test_id, variant_id) in (select test_id, variant_id from won) group by test_id, variant_id
  ),
  new_users as (
    select test_id, variant_id, ${dayOf("assigned_at")} as day, min(turn) as turn, count(*) as users
    from won group by test_id, variant_id, ${dayOf("assigned_at")}
  ),
  joined as (
    select n.test_id, n.variant_id, coalesce(c.epoch, 0) as epoch, coalesce(c.weight, 1) as weight, n.users,
      greatest(c.last_day, max(n.day) over (partition by n.test_id, n.variant_id order by n.turn)) as day
    from new_users n left join current c using (test_id, variant_id)
  ),
  counted_users as (
    insert into ab_users as u (test_id, variant_id, epoch, day, slice, weight, users)
    select test_id, variant_id, epoch, day, ${slice}::integer, weight, sum(users)
    from joined group by test_id, variant_id, epoch, day, weight order by test_id, variant_id, epoch, day
    on conflict (test_id, variant_id, epoch, day, slice) do update set users = u.users + excluded.users
  )`;

/**
 * Further parts of a `with`, which count its part `tracked(turn, test_id, variant_id, user_id, metric_name, value, day,
 * counted)`. A user's total moves from what it was to what it is; what that adds to the sums and the sums of squares
 * over all users is added to the tallies. All locks are taken in one order: first the totals', then the tallies'.
 */
export const countValues = (slice: string): string => `
  latest as (
    select test_id, variant_id, metric_name, max(day) as day from ab_tallies
    where (test_id, variant_id, metric_name) in (select test_id, variant_id, metric_name from tracked)
    group by test_id, variant_id, metric_name
  ),
  -- What comes late counts on the latest day that is known by then.
  dated as (
    select t.test_id, t.variant_id, t.user_id, t.metric_name, t.value, t.counted,
      greatest(l.day, max(t.day) over (partition by t.test_id, t.variant_id, t.metric_name order by t.turn)) as day
    from tracked t left join latest l using (test_id, variant_id, metric_name)
  ),
  added as (
    select test_id, variant_id, user_id, metric_name, day, count(*) as count, sum(value) as sum
    from dated where counted group by test_id, variant_id, user_id, metric_name, day
  ),
  total as (
    insert into ab_totals as t (test_id, user_id, metric_name, count, sum)
    select test_id, user_id, metric_name, sum(count), sum(sum)
    from added group by test_id, user_id, metric_name order by user_id, test_id, metric_name
    on conflict (user_id, test_id, metric_name) do update
      set count = t.count + excluded.count, sum = t.sum + excluded.sum
    returning test_id, user_id, metric_name, count, sum
  ),
  -- A user's total at the end of each of these days, counted back from what it is now.
  moved as (
    select a.test_id, a.variant_id, a.metric_name, a.day, a.count, a.sum,
      t.count - sum(a.count) over everything + sum(a.count) over so_far as new_count,
      t.sum - sum(a.sum) over everything + sum(a.sum) over so_far as new_sum
    from added a join total t using (test_id, user_id, metric_name)
    window everything as (partition by a.test_id, a.user_id, a.metric_name),
      so_far as (partition by a.test_id, a.user_id, a.metric_name order by a.day)
  ),
  -- The square of a total grows from (new - added)² to new².
  grown as (
    select test_id, variant_id, metric_name, day, sum((new_count = count)::integer) as users, sum(count) as count,
      sum(count * (2 * new_count - count)) as count_squares, sum(sum) as sum,
      sum(sum * (2 * new_sum - sum)) as sum_squares
    from moved group by test_id, variant_id, metric_name, day
  ),
  seen as (
    select test_id, variant_id, metric_name, day, count(*) as count, sum(value) as sum, min(value) as min,
      max(value) as max
    from dated group by test_id, variant_id, metric_name, day
  ),
  tallied as (
    insert into ab_tallies as t (test_id, variant_id, metric_name, day, slice, raw_count, raw_sum, raw_min, raw_max,
      users, count, count_squares, sum, sum_squares)
    select test_id, variant_id, metric_name, day, ${slice}::integer, s.count, s.sum, s.min, s.max,
      coalesce(g.users, 0), coalesce(g.count, 0), coalesce(g.count_squares, 0), coalesce(g.sum, 0),
      coalesce(g.sum_squares, 0)
    from seen s left join grown g using (test_id, variant_id, metric_name, day)
    order by test_id, variant_id, metric_name, day
    on conflict (test_id, variant_id, metric_name, day, slice) do update set
      raw_count = t.raw_count + excluded.raw_count, raw_sum = t.raw_sum + excluded.raw_sum,
      raw_min = least(t.raw_min, excluded.raw_min), raw_max = greatest(t.raw_max, excluded.raw_max),
      users = t.users + excluded.users, count = t.count + excluded.count,
      count_squares = t.count_squares + excluded.count_squares, sum = t.sum + excluded.sum,
      sum_squares = t.sum_squares + excluded.sum_squares
  )`;

// Of the parts of a day, of the days of a metric: what a row of `figures` needs.
const DAILY = `
  select variant_id, metric_name, day, sum(raw_count) as raw_count, sum(raw_sum) as raw_sum, min(raw_min) as raw_min,
    max(raw_max) as raw_max, sum(users) as users, sum(count) as count, sum(count_squares) as count_squares,
    sum(sum) as sum, sum(sum_squares) as sum_squares
  from ab_tallies where test_id = $1 group by variant_id, metric_name, day`;

// Decimals to the last: n·Σx² − (Σx)² is exact, and only the division by n rounds.
const figures = (row: string): string => `json_build_object(
    'variant_id', ${row}.variant_id, 'metric_name', ${row}.metric_name, 'raw_count', ${row}.raw_count,
    'raw_sum', ${row}.raw_sum, 'raw_min', ${row}.raw_min, 'raw_max', ${row}.raw_max, 'count', ${row}.count,
    'sum', ${row}.sum, 'users', ${row}.users,
    'sums_mean', coalesce(${row}.sum / nullif(${row}.users, 0), 0),
    'sums_m2', coalesce((${row}.users * ${row}.sum_squares - ${row}.sum * ${row}.sum) / nullif(${row}.users, 0), 0),
    'counts_mean', coalesce(${row}.count / nullif(${row}.users, 0), 0),
    'counts_m2', coalesce((${row}.users * ${row}.count_squares - ${row}.count * ${row}.count)
      / nullif(${row}.users, 0), 0))`;

// All of one moment: users who are counted after their values would be fewer than those who have some.
const TALLY = `
  with daily as (${DAILY}),
  whole as (
    select variant_id, metric_name, sum(raw_count) as raw_count, sum(raw_sum) as raw_sum, min(raw_min) as raw_min,
      max(raw_max) as raw_max, sum(users) as users, sum(count) as count, sum(count_squares) as count_squares,
      sum(sum) as sum, sum(sum_squares) as sum_squares
    from daily group by variant_id, metric_name
  ),
  arm as (
    select epoch, variant_id, max(weight) as weight, sum(users) as users
    from ab_users where test_id = $1 group by epoch, variant_id
  ),
  period as (
    select epoch, json_agg(json_build_object('variant_id', variant_id, 'weight', weight, 'users', users)
      order by variant_id) as arms
    from arm group by epoch
  )
  select coalesce((select json_agg(${figures("w")} order by w.variant_id, w.metric_name) from whole w), '[]') as metrics,
    coalesce((select json_agg(arms order by epoch) from period), '[]') as periods`;

const DAYS = `
  with daily as (${DAILY}),
  so_far as (
    select variant_id, metric_name, day, sum(raw_count) over days as raw_count, sum(raw_sum) over days as raw_sum,
      min(raw_min) over days as raw_min, max(raw_max) over days as raw_max, sum(users) over days as users,
      sum(count) over days as count, sum(count_squares) over days as count_squares, sum(sum) over days as sum,
      sum(sum_squares) over days as sum_squares
    from daily window days as (partition by variant_id, metric_name order by day)
  ),
  joined as (
    select epoch, day, variant_id, sum(users) as new_users
    from ab_users where test_id = $1 and users > 0 group by epoch, day, variant_id
  )
  select
    coalesce((select json_agg(json_build_object('day', day, 'variant_id', variant_id, 'new_users', new_users)
      order by day, epoch, variant_id) from joined), '[]') as users,
    coalesce((select json_agg(json_build_object('day', s.day, 'figures', ${figures("s")})
      order by s.day, s.variant_id, s.metric_name) from so_far s), '[]') as metrics`;

interface Figures {
  readonly variant_id: number;
  readonly metric_name: string;
  readonly raw_count: number;
  readonly raw_sum: number;
  readonly raw_min: number;
  readonly raw_max: number;
  readonly count: number;
  readonly sum: number;
  readonly users: number;
  readonly sums_mean: number;
  readonly sums_m2: number;
  readonly counts_mean: number;
  readonly counts_m2: number;
}

const tallyOf = (row: Figures): MetricTally => ({
  metric_name: row.metric_name,
  raw: { count: row.raw_count, sum: row.raw_sum, min: row.raw_min, max: row.raw_max },
  count: row.count,
  sum: row.sum,
  sums: { n: row.users, mean: row.sums_mean, m2: row.sums_m2 },
  counts: { n: row.users, mean: row.counts_mean, m2: row.counts_m2 },
});

function variantTallies(periods: readonly Period[], metrics: readonly Figures[]): VariantTally[] {
  const arms = periods.flat();
  const variants = new Set([...arms, ...metrics].map(({ variant_id }) => variant_id));
  return [...variants].map((variant_id) => ({
    variant_id,
    users: arms.reduce((sum, arm) => (arm.variant_id === variant_id ? sum + arm.users : sum), 0),
    metrics: metrics.filter((row) => row.variant_id === variant_id).map(tallyOf),
  }));
}

interface TallyRow {
  readonly metrics: readonly Figures[];
  readonly periods: readonly Period[];
}

/** What an experiment has come to. */
export async function readTally({ query }: Database, testId: number): Promise<ExperimentTally> {
  const [row] = await query<TallyRow>(TALLY, [testId]);
  const { metrics = [], periods = [] } = row ?? {};
  return { variants: variantTallies(periods, metrics), periods };
}

interface DaysRow {
  readonly users: readonly { day: number; variant_id: number; new_users: number }[];
  readonly metrics: readonly { day: number; figures: Figures }[];
}

/** What it had come to day by day. */
export async function readDays({ query }: Database, testId: number): Promise<readonly DayTally[]> {
  const [row] = await query<DaysRow>(DAYS, [testId]);
  const { users = [], metrics = [] } = row ?? {};
  const values = metrics.map(({ day, figures: own }) => ({
    day,
    variant_id: own.variant_id,
    metric: tallyOf(own),
  }));
  return [...users, ...values].sort((a, b) => a.day - b.day);
}
