import { CatalogueTally, type TypeSummary } from "../../domain/reports/catalogue.ts";
import type { FunnelCount, FunnelQuestion } from "../../domain/reports/funnel.ts";
import { type FunnelEvent, FunnelReader } from "../../domain/reports/funnel-tally.ts";
import { type CohortCount, type RetentionQuestion, RetentionTally } from "../../domain/reports/retention.ts";
import type { Measure, TrendQuestion, TrendSeries } from "../../domain/reports/trend.ts";
import { type AskedEvent, TrendTally } from "../../domain/reports/trend-tally.ts";
import type { Query } from "./client.ts";
import { eachRow } from "./cursor.ts";
import { EVER, isOfTypes, mayHold, patternsOf, typesOf } from "./event-filter.ts";

// Answers made of the rows themselves by the domain: to what SQL cannot decide, and to hold the SQL to.

const COLUMNS = ["id", "user_id", "session_id", "properties"] as const;
type Column = (typeof COLUMNS)[number];

/** Of the columns only those that are looked at: to send and to read them takes most of the time. */
const select = (...columns: Column[]): string => `
  select event_type, occurred_at,
    ${COLUMNS.map((column) => (columns.includes(column) ? column : `null as ${column}`)).join(", ")}
  from events where occurred_at >= $1 and occurred_at < $2 and ${isOfTypes("$3")}`;

export async function typesFromRows(query: Query): Promise<TypeSummary[]> {
  const tally = new CatalogueTally();
  const rows = select("properties");
  await eachRow<AskedEvent>(query, rows, [EVER.from, EVER.to, null], (event) => tally.add(event));
  return tally.types();
}

const WHO: Record<Measure, readonly Column[]> = {
  count: [],
  users: ["user_id"],
  sessions: ["session_id"],
};

async function tallyTrend(
  query: Query,
  question: TrendQuestion,
  patterns: readonly string[] | null,
): Promise<TrendSeries[]> {
  const { edges, event_types, measure, where, breakdown } = question;
  const tally = new TrendTally(question);
  const columns =
    where.length > 0 || breakdown !== undefined ? [...WHO[measure], "properties" as const] : WHO[measure];
  const rows = `${select(...columns)} and ${mayHold("$4")}`;
  const values = [edges[0], edges.at(-1), typesOf(event_types), patterns];
  await eachRow<AskedEvent>(query, rows, values, (event) => tally.add(event));
  return tally.series();
}

export const trendFromRows = (query: Query, question: TrendQuestion): Promise<TrendSeries[]> =>
  tallyTrend(query, question, null);

/** The same, without reading the events that cannot fulfil the conditions. */
export const trendFromFewerRows = (query: Query, question: TrendQuestion): Promise<TrendSeries[]> =>
  tallyTrend(query, question, patternsOf(question.where));

export async function funnelFromRows(query: Query, question: FunnelQuestion): Promise<FunnelCount> {
  const { from, to, steps, order, breakdown } = question;
  const types = order === "strict" ? null : typesOf(steps.map(({ event_type }) => event_type));
  const reader = new FunnelReader(question);
  const looked = breakdown !== undefined || steps.some(({ where }) => where.length > 0);
  const columns: Column[] = looked ? ["id", "user_id", "properties"] : ["id", "user_id"];
  // Users in any order would do: that of their bytes is sorted fastest.
  const rows = `${select(...columns)} and user_id is not null order by user_id collate "C", occurred_at, id`;
  await eachRow<FunnelEvent>(query, rows, [from, to, types], (event) => reader.add(event));
  return reader.count();
}

export async function retentionFromRows(query: Query, question: RetentionQuestion): Promise<CohortCount[]> {
  const { event_type, return_event_type, cohort, edges } = question;
  const tally = new RetentionTally(question);
  // A user's first event may lie before any cohort.
  const from = cohort === "first" ? EVER.from : edges[0];
  const values = [from, edges.at(-1), typesOf([event_type, return_event_type])];
  await eachRow<AskedEvent>(query, select("user_id"), values, (event) => tally.add(event));
  return tally.counts();
}
