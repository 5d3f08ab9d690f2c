import { z } from "zod";
import type { Checked } from "../failure.ts";
import { Name } from "../text.ts";
import { type Instant, IsoTime, isoTime } from "../time.ts";
import { Meta } from "./answer.ts";
import { edgesOf, Interval } from "./buckets.ts";
import { type Condition, QueryConditions } from "./condition.ts";
import { type Group, shownGroup } from "./groups.ts";
import { EventTypes, Flag, rangeOf, rangeShape, wholeNumber } from "./range.ts";

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
  readonly limit: number;
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

/** The question for storage, and how its buckets are shown. */
export interface TrendPlan {
  readonly question: TrendQuestion;
  readonly from: Instant;
  readonly to: Instant;
  readonly buckets: Trend["buckets"];
}

const seriesAtMost = ({ event_type, breakdown, limit }: TrendQuery): number =>
  Math.max(1, event_type.length) * (breakdown === undefined ? 1 : limit + 1);

/** Turns a query into the question for storage, or says why it has no answer. */
export function planTrend(query: TrendQuery, now: Instant): Checked<TrendPlan> {
  const range = rangeOf(query, now);
  if ("faults" in range) return range;
  const { from, to } = range.value;
  const edges = edgesOf(query.interval, query.timezone, from, to, MAX_BUCKETS);
  if (edges === undefined) {
    const message = `makes more than ${MAX_BUCKETS} buckets of this range: choose a longer interval or a shorter range`;
    return { faults: [{ path: "interval", message }] };
  }
  const values = (edges.length - 1) * seriesAtMost(query);
  if (values > MAX_VALUES) {
    const message = `makes up to ${values} values, more than ${MAX_VALUES}: ask for fewer groups or types, a longer interval or a shorter range`;
    return { faults: [{ path: "limit", message }] };
  }
  const clipped = [from, ...edges.slice(1, -1), to];
  const buckets = edges.slice(0, -1).map((start, index) => {
    const end = edges[index + 1] ?? to;
    return { start: isoTime(start), complete: start >= from && end <= to && end <= now };
  });
  const { event_type: event_types, measure, where, breakdown, limit } = query;
  return {
    value: { question: { event_types, measure, edges: clipped, where, breakdown, limit }, from, to, buckets },
  };
}

export const Trend = z
  .strictObject({
    measure: Measure,
    interval: Interval,
    timezone: z.string(),
    /** The range that is counted. It cuts the first and the last bucket where it begins or ends within one. */
    from: IsoTime,
    to: IsoTime,
    breakdown: z.string().nullable(),
    /** A bucket is complete unless the range cuts it or it is not over yet. */
    buckets: z.array(z.strictObject({ start: IsoTime, complete: z.boolean() })),
    series: z.array(
      z.strictObject({
        event_type: z.string().nullable(),
        group: z.union([z.string(), z.number(), z.boolean()]).nullable().optional(),
        is_other: z.boolean().optional(),
        total: z.int(),
        values: z.array(z.int()),
      }),
    ),
    meta: Meta,
  })
  .meta({ id: "Trend" });
export type Trend = z.infer<typeof Trend>;

export function describeTrend(
  query: TrendQuery,
  plan: TrendPlan,
  series: readonly TrendSeries[],
  meta: Meta,
): Trend {
  return {
    measure: query.measure,
    interval: query.interval,
    timezone: query.timezone,
    from: isoTime(plan.from),
    to: isoTime(plan.to),
    breakdown: query.breakdown ?? null,
    buckets: plan.buckets,
    series: series.map(({ event_type, group, total, values }) => ({
      event_type,
      ...(group === undefined ? {} : shownGroup(group)),
      total,
      values: [...values],
    })),
    meta,
  };
}
