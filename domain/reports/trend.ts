import { z } from "zod";
import type { Checked } from "../failure.ts";
import { Name } from "../text.ts";
import { type Instant, IsoTime, isoTime } from "../time.ts";
import { Meta } from "./answer.ts";
import { edgesOf, Interval } from "./buckets.ts";
import { type Condition, QueryConditions } from "./condition.ts";
import { type Group, groupKey, shownGroup } from "./groups.ts";
import { hasGroups, type MembersQuestion, membersShape, twoBreakdowns } from "./members.ts";
import { previousRange } from "./previous.ts";
import { EventTypes, Flag, rangeOf, rangeShape, type TimeRange, wholeNumber } from "./range.ts";

const MAX_BUCKETS = 10_000;
// Room for twenty types with ten groups and the rest each, over the most buckets. Ten times as many values took a server
// half a gigabyte and two seconds, during which it answered no other request.
const MAX_VALUES = 2_200_000;
export const MAX_GROUPS = 100;
const DEFAULT_GROUPS = 10;

export const Measure = z.enum(["count", "users", "sessions"]);
export type Measure = z.infer<typeof Measure>;

export const TrendQuery = z.strictObject({
  event_type: EventTypes,
  measure: Measure.default("count"),
  interval: Interval.default("day"),
  ...rangeShape,
  breakdown: Name.optional(),
  limit: wholeNumber(1, MAX_GROUPS).default(DEFAULT_GROUPS),
  where: QueryConditions,
  ...membersShape,
  compare: z
    .enum(["previous"], { error: "must be previous" })
    .optional()
    .meta({ description: "Adds the figures of the period before, bucket by bucket." }),
  verify: Flag,
});
export type TrendQuery = z.infer<typeof TrendQuery>;

/** The trend as storage answers it: the number of events, users or sessions between each two edges. */
export interface TrendQuestion {
  /** A series for each type; one over all types where the list is empty. */
  readonly event_types: readonly string[];
  readonly measure: Measure;
  /** The start of each bucket, and the end of the last one. Events outside do not count. */
  readonly edges: readonly Instant[];
  readonly where: readonly Condition[];
  /** A series for each of the `limit` largest values of this property, and one for all others together. */
  readonly breakdown?: string | undefined;
  /** Only what these people did; with a breakdown of theirs, a series for each variant. */
  readonly members?: MembersQuestion | undefined;
  readonly limit: number;
  /** For each type, the groups that are shown instead of the largest ones, by their keys. */
  readonly groups?: readonly NamedGroups[] | undefined;
}

interface NamedGroups {
  /** Null for all types together. */
  readonly event_type: string | null;
  readonly keys: readonly string[];
}

export interface TrendSeries {
  /** Null where the series is over all types. */
  readonly event_type: string | null;
  /** Undefined without a breakdown. */
  readonly group?: Group | undefined;
  /** Over the whole range. A user or session of several buckets counts once, so this is not the sum of the values. */
  readonly total: number;
  readonly values: readonly number[];
}

/** A range and its buckets. */
interface Period extends TimeRange {
  /** The start of each bucket, and the end of the last one, within the range. */
  readonly edges: readonly Instant[];
  readonly buckets: Trend["buckets"];
}

/** The question for storage, and how its buckets are shown. */
export interface TrendPlan extends Period {
  readonly question: TrendQuestion;
  /** The period to compare with, where the query asks for it. */
  readonly previous?: Period | undefined;
}

/** The most series that a query can have. */
export const seriesAtMost = ({ event_type, breakdown, breakdown_experiment, limit }: TrendQuery): number =>
  Math.max(1, event_type.length) * ((breakdown ?? breakdown_experiment) === undefined ? 1 : limit + 1);

/** Divides a range into the buckets of a query; undefined where they are too many. */
function periodOf({ interval, timezone }: TrendQuery, { from, to }: TimeRange, now: Instant) {
  const edges = edgesOf(interval, timezone, from, to, MAX_BUCKETS);
  if (edges === undefined) return undefined;
  const buckets = edges.slice(0, -1).map((start, index) => {
    const end = edges[index + 1] ?? to;
    return { start: isoTime(start), complete: start >= from && end <= to && end <= now };
  });
  return { from, to, edges: [from, ...edges.slice(1, -1), to], buckets };
}

const fault = (path: string, message: string) => ({ faults: [{ path, message }] });

const tooManyBuckets = (): Checked<never> =>
  fault(
    "interval",
    `makes more than ${MAX_BUCKETS} buckets of this range: choose a longer interval or a shorter range`,
  );

/** The period before, or why there is none to compare with. */
function previousPeriod(query: TrendQuery, range: TimeRange, now: Instant): Checked<Period> {
  const before = previousRange(range, query.interval, query.timezone, now);
  if (before === undefined)
    return fault("compare", "finds no period before this range: choose another range");
  const period = periodOf(query, before, now);
  return period === undefined ? tooManyBuckets() : { value: period };
}

/** Turns a query into the question for storage, or says why it has no answer. */
export function planTrend(query: TrendQuery, now: Instant): Checked<TrendPlan> {
  const range = rangeOf(query, now);
  if ("faults" in range) return range;
  const twice = twoBreakdowns(query);
  if (twice !== undefined) return { faults: [twice] };
  const period = periodOf(query, range.value, now);
  if (period === undefined) return tooManyBuckets();
  const previous = query.compare && previousPeriod(query, range.value, now);
  if (previous !== undefined && "faults" in previous) return previous;
  const buckets = period.buckets.length + (previous?.value.buckets.length ?? 0);
  const values = buckets * seriesAtMost(query);
  if (values > MAX_VALUES) {
    return fault(
      "limit",
      `makes up to ${values} values, more than ${MAX_VALUES}: ask for fewer groups or types, a longer interval or a shorter range`,
    );
  }
  const { event_type: event_types, measure, where, breakdown, limit } = query;
  const question = { event_types, measure, edges: period.edges, where, breakdown, limit };
  return { value: { question, ...period, previous: previous?.value } };
}

const valueKeyOf = (group: Group | undefined): string =>
  groupKey(group?.kind === "value" ? group.value : null);

/** The same question about the period before: with a breakdown, about the groups of the series that were answered. */
export function questionBefore(
  { event_types, ...question }: TrendQuestion,
  { edges }: Period,
  series: readonly TrendSeries[],
): TrendQuestion {
  const types = event_types.length === 0 ? [null] : event_types;
  const groups = types.map((event_type) => ({
    event_type,
    keys: series
      .filter((one) => one.event_type === event_type && one.group?.kind !== "other")
      .map(({ group }) => valueKeyOf(group)),
  }));
  return { ...question, event_types, edges, groups: hasGroups(question) ? groups : undefined };
}

/** A series and the one of the period before. */
interface Compared extends TrendSeries {
  readonly previous: Pick<TrendSeries, "total" | "values">;
}

const sameSeries = (a: TrendSeries, b: TrendSeries): boolean =>
  a.event_type === b.event_type &&
  a.group?.kind === b.group?.kind &&
  valueKeyOf(a.group) === valueKeyOf(b.group);

/**
 * Puts the series of two periods together. A series that one of them lacks is 0 there: a group without events before, or
 * the other groups where all of today's have a series of their own.
 */
function compared(
  { question, previous }: { question: TrendQuestion; previous: Period },
  now: readonly TrendSeries[],
  before: readonly TrendSeries[],
): Compared[] {
  const zeros = ({ length }: readonly Instant[]) => ({ total: 0, values: new Array(length - 1).fill(0) });
  const added = before.filter((one) => !now.some((other) => sameSeries(one, other)));
  const types = question.event_types.length === 0 ? [null] : question.event_types;
  return types.flatMap((event_type) =>
    [...now, ...added.map((one) => ({ ...one, ...zeros(question.edges) }))]
      .filter((one) => one.event_type === event_type)
      .map((one) => ({
        ...one,
        previous: before.find((other) => sameSeries(one, other)) ?? zeros(previous.edges),
      })),
  );
}

const Figures = { total: z.int(), values: z.array(z.int()) };
const Buckets = z.array(z.strictObject({ start: IsoTime, complete: z.boolean() }));

export const Trend = z
  .strictObject({
    measure: Measure,
    interval: Interval,
    timezone: z.string(),
    /** The range that is counted. It cuts the first and the last bucket where it begins or ends within one. */
    from: IsoTime,
    to: IsoTime,
    breakdown: z.string().nullable(),
    /** The experiment whose variants are the groups, where they are. */
    breakdown_experiment: z.string().optional(),
    /** A bucket is complete unless the range cuts it or it is not over yet. */
    buckets: Buckets,
    /** The period before, with `compare=previous`. */
    previous: z.strictObject({ from: IsoTime, to: IsoTime, buckets: Buckets }).optional(),
    series: z.array(
      z.strictObject({
        event_type: z.string().nullable(),
        group: z.union([z.string(), z.number(), z.boolean()]).nullable().optional(),
        is_other: z.boolean().optional(),
        ...Figures,
        /** In the period before, value by value; its last buckets may be fewer or more. */
        previous: z.strictObject(Figures).optional(),
      }),
    ),
    meta: Meta,
  })
  .meta({ id: "Trend" });
export type Trend = z.infer<typeof Trend>;

export function describeTrend(
  query: TrendQuery,
  plan: TrendPlan,
  { series, before }: { series: readonly TrendSeries[]; before?: readonly TrendSeries[] | undefined },
  meta: Meta,
): Trend {
  const { question, previous } = plan;
  const shown: readonly (TrendSeries & Partial<Compared>)[] =
    previous === undefined ? series : compared({ question, previous }, series, before ?? []);
  return {
    measure: query.measure,
    interval: query.interval,
    timezone: query.timezone,
    from: isoTime(plan.from),
    to: isoTime(plan.to),
    breakdown: query.breakdown ?? null,
    ...(query.breakdown_experiment !== undefined && { breakdown_experiment: query.breakdown_experiment }),
    buckets: plan.buckets,
    ...(previous && {
      previous: { from: isoTime(previous.from), to: isoTime(previous.to), buckets: previous.buckets },
    }),
    series: shown.map(({ event_type, group, total, values, previous }) => ({
      event_type,
      ...(group === undefined ? {} : shownGroup(group)),
      total,
      values: [...values],
      ...(previous && { previous: { total: previous.total, values: [...previous.values] } }),
    })),
    meta,
  };
}
