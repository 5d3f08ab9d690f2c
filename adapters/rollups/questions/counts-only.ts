import type { CountsOnly } from "../../../domain/reports/answer.ts";
import { bucketAt } from "../../../domain/reports/buckets.ts";
import { inOrder, type TypeSummary } from "../../../domain/reports/catalogue.ts";
import type { EventFilter } from "../../../domain/reports/event-list.ts";
import type { TrendQuestion, TrendSeries } from "../../../domain/reports/trend.ts";
import { Counter, seriesOf } from "../../../domain/reports/trend-tally.ts";
import { DAY, type Instant } from "../../../domain/time.ts";
import { entry } from "../build/growth.ts";
import {
  dayOf,
  eachKeptRow,
  eachQuarter,
  type KeptSpan,
  type KeptStore,
  type KeptTotal,
  QUARTER,
} from "../kept-counts.ts";
import { type RawRange, typeKey } from "../store.ts";
import type { Work } from "../work.ts";

// Expired events in answers. Their counts are added to those of the stored events where a question is about the number of
// events alone; every other answer says that they are missing.

/** Expired events that a question is about. */
export interface Expired<T> extends CountsOnly {
  /** Adds their counts to an answer. */
  readonly addTo: (value: T) => T;
}

type Range = Pick<RawRange, "from" | "to" | "types">;

/** The time before which expired events of a range have left only their number. */
export const countsOnlyBefore = (
  kept: KeptStore,
  { event_types: types, from, to }: Pick<EventFilter, "event_types" | "from" | "to">,
): Work<Instant | undefined> => lastExpired(kept, { from, to, types });

const spanOf = ({ from, to, types }: Range): KeptSpan => {
  const named = types.filter((type) => type !== null);
  const isAll = named.length < types.length || types.length === 0;
  return { types: isAll ? null : named.map(typeKey), first: dayOf(from), last: dayOf(to - 1) };
};

/** The end of the last quarter of an hour in the range that has expired events. */
function* lastExpired(kept: KeptStore, range: Range): Work<Instant | undefined> {
  const span = spanOf(range);
  for (let { last } = span; last >= span.first; ) {
    const rows = yield* kept.latest({ ...span, last });
    const [first] = rows;
    if (first === undefined) return undefined;
    let end = Number.NEGATIVE_INFINITY;
    for (const row of rows)
      eachQuarter(row, (start) => {
        if (start < range.to && start + QUARTER > range.from) end = Math.max(end, start + QUARTER);
      });
    if (end > range.from) return end;
    last = first.day - 1;
  }
  return undefined;
}

/** The expired events that an answer lacks. */
export function* expiredOf<T>(kept: KeptStore, range: Range): Work<Expired<T> | undefined> {
  const before = yield* lastExpired(kept, range);
  return before === undefined ? undefined : { before, isExact: true, addTo: (value) => value };
}

const isCount = ({ measure, where, breakdown, members }: TrendQuestion): boolean =>
  measure === "count" && where.length === 0 && breakdown === undefined && members === undefined;

function added(series: TrendSeries, counter: Counter | undefined): TrendSeries {
  if (counter === undefined) return series;
  return seriesOf(series.event_type, counter.merge(new Counter(series.values.length, [...series.values])));
}

/**
 * The expired events of a trend. Where an edge cuts a quarter of an hour, its events belong to the bucket that it begins in,
 * so that the answer is not exact.
 */
export function* expiredOfTrend(
  kept: KeptStore,
  question: TrendQuestion,
): Work<Expired<readonly TrendSeries[]> | undefined> {
  const { edges, event_types: types } = question;
  const range = { from: edges[0] ?? 0, to: edges.at(-1) ?? 0, types };
  const missing = yield* expiredOf<readonly TrendSeries[]>(kept, range);
  if (missing === undefined || !isCount(question)) return missing;
  const counters = new Map<string, Counter>();
  const keyOf = (type: string | null): string => (type === null ? "" : typeKey(type));
  let isExact = true;
  yield* eachKeptRow(kept, spanOf(range), (row) => {
    const key = types.length === 0 ? "" : row.event_type;
    const counter = entry(counters, key, () => new Counter(edges.length - 1));
    eachQuarter(row, (start, count) => {
      if (start >= range.to || start + QUARTER <= range.from) return;
      const bucket = bucketAt(edges, start);
      if (bucket < 0 || bucket !== bucketAt(edges, start + QUARTER - 1)) isExact = false;
      if (bucket >= 0) counter.addMany(bucket, count);
    });
  });
  const addTo = (all: readonly TrendSeries[]) =>
    all.map((series) => added(series, counters.get(keyOf(series.event_type))));
  return { before: missing.before, isExact, addTo };
}

/** A type of which no event is stored: its first and last day are known. */
const onlyCounted = ({ event_type, events, first_day, last_day }: KeptTotal): TypeSummary => ({
  event_type,
  count: events,
  counts_only: events,
  first_seen: first_day * DAY,
  last_seen: last_day * DAY,
  properties: [],
  may_have_more_properties: false,
});

const EVER = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER, types: [] };

/** The expired events of all types. */
export function* expiredOfTypes(kept: KeptStore): Work<Expired<readonly TypeSummary[]> | undefined> {
  const missing = yield* expiredOf<readonly TypeSummary[]>(kept, EVER);
  if (missing === undefined) return undefined;
  const totals = yield* kept.totals();
  const byType = new Map(totals.map((total) => [total.event_type, total]));
  const addTo = (types: readonly TypeSummary[]): TypeSummary[] => {
    const stored = new Set(types.map(({ event_type }) => typeKey(event_type)));
    const known = types.map((type) => {
      const events = byType.get(typeKey(type.event_type))?.events;
      return events === undefined ? type : { ...type, count: type.count + events, counts_only: events };
    });
    return inOrder([
      ...known,
      ...totals.filter(({ event_type }) => !stored.has(event_type)).map(onlyCounted),
    ]);
  };
  return { ...missing, addTo };
}
