import type { AnnotationReply } from "../../../domain/reports/annotation.ts";
import type { Trend } from "../../../domain/reports/trend.ts";
import { compactNumber, counted, dayRange, isolated, lift, number, period } from "../parts/format.ts";
import type { TimePlotData } from "../plots/time-plot-data.ts";

export const NOUNS = { count: "event", users: "user", sessions: "session" } as const;

type Series = Trend["series"][number];

export const unitOf = ({ measure }: Pick<Trend, "measure">): string =>
  measure === "count" ? "Events" : `Unique ${NOUNS[measure]}s`;

export function nameOf({ event_type, group, is_other }: Series, trend: Trend): string {
  const type = event_type === null ? "all events" : isolated(event_type);
  if (group === undefined) return type;
  const value = is_other
    ? "all other values"
    : group === null
      ? `no ${trend.breakdown}`
      : isolated(String(group));
  return trend.series.some((series) => series.event_type !== event_type) ? `${type}, ${value}` : value;
}

/** The change from one figure to another; a share of zero is none. */
export function change(now: number, before: number): string {
  if (before === 0) return now === 0 ? "no change" : "new";
  return now === before ? "no change" : lift((now - before) / before);
}

/** The dates of the period that a trend is compared with. */
export const previousRangeOf = ({ previous, timezone }: Trend): string =>
  previous === undefined ? "" : dayRange(previous.from, previous.to, timezone);

/** A trend without the buckets that have not begun: they are empty because they are still to come. */
export function begun(trend: Trend): Trend {
  const now = trend.meta.data_through;
  const count = trend.buckets.filter(({ start }) => start <= now).length;
  if (count === 0 || count === trend.buckets.length) return trend;
  return {
    ...trend,
    buckets: trend.buckets.slice(0, count),
    series: trend.series.map((series) => ({ ...series, values: series.values.slice(0, count) })),
  };
}

// More lines of two periods could not be told apart; the tables have all of them.
const MOST_COMPARED = 2;

/** Whether the plot shows the period before. */
export const drawsPrevious = ({ previous, series }: Trend): boolean =>
  previous !== undefined && series.length <= MOST_COMPARED;

export const dataOf = (trend: Trend): TimePlotData => ({
  times: trend.buckets.map(({ start }) => Date.parse(start)),
  zone: trend.timezone,
  lines: trend.series.map((series) => ({
    label: nameOf(series, trend),
    values: series.values,
    before: drawsPrevious(trend)
      ? trend.buckets.map((_, index) => series.previous?.values[index] ?? null)
      : undefined,
  })),
  unfinished: trend.buckets.map(({ complete }) => !complete),
  zero: "floor",
  formatTick: compactNumber,
});

/** The data with a mark for each annotation. */
export const withMarks = (data: TimePlotData, annotations: readonly AnnotationReply[]): TimePlotData => ({
  ...data,
  marks: annotations.map(({ at }) => Date.parse(at)),
});

/** The values at one time in words. */
export function describe(trend: Trend, index: number): string {
  const bucket = trend.buckets[index];
  if (bucket === undefined) return "";
  const before = trend.previous?.buckets[index];
  const values = trend.series.map((series) => {
    const value = series.values[index] ?? 0;
    const old = series.previous?.values[index] ?? 0;
    const compared = before === undefined ? "" : ` (${number(old)} before, ${change(value, old)})`;
    const name = trend.series.length === 1 ? "" : `${nameOf(series, trend)}: `;
    return `${name}${counted(value, NOUNS[trend.measure])}${compared}`;
  });
  const open = bucket.complete ? "" : " (not complete)";
  const against =
    before === undefined ? "" : `, compared with ${period(before.start, trend.interval, trend.timezone)}`;
  return `${period(bucket.start, trend.interval, trend.timezone)}${open}${against}: ${values.join("; ")}`;
}

/** The columns and rows of a table, as text. */
export interface Cells {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The totals of each series, with those of the period before. */
export function totalsOf(trend: Trend): Cells {
  const isCompared = trend.previous !== undefined;
  return {
    columns: ["Line", unitOf(trend), ...(isCompared ? ["Period before", "Change"] : [])],
    rows: trend.series.map((series) => [
      nameOf(series, trend),
      number(series.total),
      ...(series.previous === undefined
        ? []
        : [number(series.previous.total), change(series.total, series.previous.total)]),
    ]),
  };
}

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The values of each series by time, with those of the period before. */
export function bucketsOf(trend: Trend): Cells {
  const names = trend.series.map((series) => nameOf(series, trend));
  const nameAt = (start: string): string => period(start, trend.interval, trend.timezone);
  const { previous } = trend;
  const head = capital(trend.interval);
  return {
    columns:
      previous === undefined
        ? [head, ...names]
        : [head, "Compared with", ...names.flatMap((name) => [name, `${name}, before`])],
    rows: trend.buckets.map(({ start, complete }, index) => [
      nameAt(start) + (complete ? "" : " (not complete)"),
      ...(previous === undefined ? [] : [nameOfBucket(previous.buckets[index], nameAt)]),
      ...trend.series.flatMap((series) => [
        number(series.values[index] ?? 0),
        ...(series.previous === undefined ? [] : [shownValue(series.previous.values[index])]),
      ]),
    ]),
  };
}

const nameOfBucket = (
  bucket: Trend["buckets"][number] | undefined,
  nameAt: (start: string) => string,
): string => (bucket === undefined ? "–" : nameAt(bucket.start));

const shownValue = (value: number | undefined): string => (value === undefined ? "–" : number(value));
