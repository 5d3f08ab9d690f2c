import { z } from "zod";
import type { Checked } from "../failure.ts";
import { byText, Name } from "../text.ts";
import { type Instant, IsoTime, isoTime } from "../time.ts";
import { Meta } from "./answer.ts";
import type { Scalar } from "./condition.ts";
import { groupKey } from "./groups.ts";
import { EventTypes, rangeOf, rangeShape, type TimeRange, wholeNumber } from "./range.ts";
import type { TrendQuestion, TrendSeries } from "./trend.ts";

const MAX_VALUES = 100;
const DEFAULT_VALUES = 20;
// The most frequent values of each type that a prefix is looked for among.
const MOST_SEARCHED = 5_000;

export const PropertyValuesQuery = z.strictObject({
  event_type: EventTypes,
  property: Name,
  prefix: z
    .string({ error: "must be a text, given once" })
    .max(200)
    .default("")
    .meta({ description: "Only values that begin with this, in any case." }),
  limit: wholeNumber(1, MAX_VALUES).default(DEFAULT_VALUES),
  ...rangeShape,
});
export type PropertyValuesQuery = z.infer<typeof PropertyValuesQuery>;

export interface PropertyValuesPlan extends TimeRange {
  readonly question: TrendQuestion;
}

/** The question for storage: the events of the range by value, in one bucket. */
export function planPropertyValues(query: PropertyValuesQuery, now: Instant): Checked<PropertyValuesPlan> {
  const range = rangeOf(query, now);
  if ("faults" in range) return range;
  const { from, to } = range.value;
  const question: TrendQuestion = {
    event_types: query.event_type,
    measure: "count",
    edges: [from, to],
    where: [],
    breakdown: query.property,
    limit: MOST_SEARCHED,
  };
  return { value: { question, from, to } };
}

export const PropertyValues = z
  .strictObject({
    property: z.string(),
    from: IsoTime,
    to: IsoTime,
    /** Most frequent first; values of the same number by their JSON. */
    values: z.array(
      z.strictObject({ value: z.union([z.string(), z.number(), z.boolean()]), count: z.int() }),
    ),
    /** Whether there are values that are not among these: beyond the limit, or too rare to be searched. */
    has_more: z.boolean(),
    meta: Meta,
  })
  .meta({ id: "PropertyValues" });
export type PropertyValues = z.infer<typeof PropertyValues>;

export function describePropertyValues(
  { property, prefix, limit }: PropertyValuesQuery,
  { from, to }: TimeRange,
  series: readonly TrendSeries[],
  meta: Meta,
): PropertyValues {
  const counts = new Map<string, { value: Scalar; count: number }>();
  for (const { group, total } of series) {
    if (group?.kind !== "value") continue;
    const key = groupKey(group.value);
    counts.set(key, { value: group.value, count: total + (counts.get(key)?.count ?? 0) });
  }
  const start = prefix.toLowerCase();
  const found = [...counts]
    .filter(([, { value }]) => String(value).toLowerCase().startsWith(start))
    .sort(([a, one], [b, other]) => other.count - one.count || byText(a, b))
    .map(([, one]) => one);
  return {
    property,
    from: isoTime(from),
    to: isoTime(to),
    values: found.slice(0, limit),
    has_more: found.length > limit || series.some(({ group }) => group?.kind === "other"),
    meta,
  };
}
