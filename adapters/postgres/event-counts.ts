import { type CohortCount, periodsOf, type RetentionQuestion } from "../../domain/reports/retention.ts";
import type { Measure, TrendQuestion, TrendSeries } from "../../domain/reports/trend.ts";
import type { Query } from "./client.ts";
import { EVER, isOfTypes, typesOf } from "./event-filter.ts";

/** An SQL expression: between which two edges an instant lies, counted from 0. */
const bucketOf = (instant: string, edges: string): string =>
  `width_bucket(${instant}, ${edges}::bigint[]) - 1`;

const WHO: Record<Measure, string> = { count: "''", users: "user_id", sessions: "session_id" };

const asked = (type: string, who: string): string => `
  asked as (
    select ${type} as event_type, ${bucketOf("occurred_at", "$4")} as bucket, ${who} as who
    from events where occurred_at >= $1 and occurred_at < $2 and ${isOfTypes("$3")} and ${who} is not null
  )`;

// Neither grouping sets nor count(distinct …): several processes of the server share the first, none the second.
const COUNT = `
  counted as (select event_type, bucket, count(*) as value from asked group by event_type, bucket)
  select event_type, bucket, value from counted
  union all
  select event_type, null, sum(value)::bigint from counted group by event_type`;

const DISTINCT = `
  seen as (select distinct event_type, bucket, who from asked)
  select event_type, bucket, count(*) as value from seen group by event_type, bucket
  union all
  select event_type, null, count(*) from (select distinct event_type, who from seen) as s group by event_type`;

function trendSql({ event_types, measure }: TrendQuestion): string {
  const events = asked(event_types.length === 0 ? "null::text" : "event_type", WHO[measure]);
  return `with ${events}, ${measure === "count" ? COUNT : DISTINCT}`;
}

interface TrendRow {
  readonly event_type: string | null;
  /** Null for all of them together. */
  readonly bucket: number | null;
  readonly value: number;
}

/** Answers a trend that asks for nothing of the properties. */
export async function countTrend(query: Query, question: TrendQuestion): Promise<TrendSeries[]> {
  const { event_types, edges } = question;
  const rows = await query<TrendRow>(trendSql(question), [
    edges[0],
    edges.at(-1),
    typesOf(event_types),
    edges,
  ]);
  const types = event_types.length === 0 ? [null] : event_types;
  const series = new Map(
    types.map((type) => [type, { total: 0, values: new Array<number>(edges.length - 1).fill(0) }]),
  );
  for (const { event_type, bucket, value } of rows) {
    const one = series.get(event_type);
    if (one === undefined) continue;
    if (bucket === null) one.total = value;
    else one.values[bucket] = value;
  }
  return [...series].map(([event_type, one]) => ({ event_type, ...one }));
}

// In which of the periods a user joins a cohort: those in which he can, or that of his first ever, which may be none.
const JOINED = {
  first: "array[min(period) filter (where joins)]",
  recurring: "array_agg(period) filter (where joins)",
};

/** An SQL expression: whether an event is of the type; null stands for all. */
const isOf = (type: string): string => `(${type}::text is null or event_type = ${type})`;

// One pass over the events; then each user's few periods are paired with each other. A join of all users' would be at
// the mercy of what the planner believes about them, and has been seen to take a hundred times as long.
const retentionSql = ({ cohort }: RetentionQuestion): string => `
  with visit as (
    select user_id, ${bucketOf("occurred_at", "$1")} as period, bool_or(${isOf("$4")}) as joins,
      bool_or(${isOf("$5")}) as returns
    from events
    where user_id is not null and occurred_at >= $2 and occurred_at < $3 and (${isOf("$4")} or ${isOf("$5")})
    group by user_id, period
  ),
  person as (
    select ${JOINED[cohort]} as joined, array_agg(period) filter (where returns) as returned
    from visit group by user_id
  ),
  member as (
    select cohort, returned from person, unnest(joined) as cohort where cohort >= 0 and cohort < $6::integer
  )
  select cohort, null as period, count(*) as users from member group by cohort
  union all
  select cohort, period - cohort, count(*) from member, unnest(returned) as period
  where period >= cohort and period < cohort + $7::integer group by cohort, period - cohort`;

interface RetentionRow {
  readonly cohort: number;
  /** Counted from the cohort's own; null for all users of the cohort, whether they have returned or not. */
  readonly period: number | null;
  readonly users: number;
}

export async function countRetention(query: Query, question: RetentionQuestion): Promise<CohortCount[]> {
  const { event_type, return_event_type, cohort, edges, cohorts, periods } = question;
  // A user's first event may lie before any cohort.
  const from = cohort === "first" ? EVER.from : edges[0];
  const values = [edges, from, edges.at(-1), event_type, return_event_type, cohorts, periods];
  const counts = Array.from({ length: cohorts }, (_, index) => ({
    users: 0,
    returned: new Array<number>(periodsOf(question, index)).fill(0),
  }));
  for (const row of await query<RetentionRow>(retentionSql(question), values)) {
    const { period, users } = row;
    const count = counts[row.cohort];
    if (count === undefined) continue;
    if (period === null) count.users = users;
    else count.returned[period] = users;
  }
  return counts;
}
