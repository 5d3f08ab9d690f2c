import { addValue, type Moments, moveValue, noMoments } from "../statistics/moments.ts";

/** What one user's counted values of one metric come to. */
export interface UserTotal {
  readonly count: number;
  readonly sum: number;
}

/** Every tracked value of a metric in a variant, whoever it is from and whenever it happened. */
export interface RawTally {
  readonly count: number;
  readonly sum: number;
  readonly min: number | null;
  readonly max: number | null;
}

/**
 * What the results need to know of one metric in one variant, whatever the number of values behind it.
 * Only values of assigned users since their assignment are counted; a user without one adds a zero later.
 */
export interface MetricTally {
  readonly metric_name: string;
  readonly raw: RawTally;
  /** Of the counted values: how many, and their sum. */
  readonly count: number;
  readonly sum: number;
  /** Over the users who have a counted value: each one's sum, and each one's number of values. */
  readonly sums: Moments;
  readonly counts: Moments;
}

export interface VariantTally {
  readonly variant_id: number;
  /** Assigned users, those without any value included. */
  readonly users: number;
  readonly metrics: readonly MetricTally[];
}

/** The users who were assigned to each variant while one set of weights was in force. */
export type Period = readonly {
  readonly variant_id: number;
  readonly weight: number;
  readonly users: number;
}[];

export interface ExperimentTally {
  readonly variants: readonly VariantTally[];
  /** In the order in which the weights were in force. */
  readonly periods: readonly Period[];
}

/** One change of one variant on one day (days since 1970, UTC). */
export type DayTally = { readonly day: number; readonly variant_id: number } & (
  | { readonly new_users: number }
  | { readonly metric: MetricTally }
);

export const noRaw: RawTally = { count: 0, sum: 0, min: null, max: null };

export const emptyTally = (metric_name: string): MetricTally => ({
  metric_name,
  raw: noRaw,
  count: 0,
  sum: 0,
  sums: noMoments,
  counts: noMoments,
});

export function mergeRaw(a: RawTally, b: RawTally): RawTally {
  return {
    count: a.count + b.count,
    sum: a.sum + b.sum,
    min: a.min === null || b.min === null ? (a.min ?? b.min) : Math.min(a.min, b.min),
    max: a.max === null || b.max === null ? (a.max ?? b.max) : Math.max(a.max, b.max),
  };
}

export const addRaw = (raw: RawTally, value: number): RawTally =>
  mergeRaw(raw, { count: 1, sum: value, min: value, max: value });

const move = (moments: Moments, from: number | undefined, to: number): Moments =>
  from === undefined ? addValue(moments, to) : moveValue(moments, from, to);

/** One more value of a user whose values so far come to `before`, undefined where this is the first. */
export function addCounted(
  tally: MetricTally,
  before: UserTotal | undefined,
  value: number,
): { tally: MetricTally; total: UserTotal } {
  const total = { count: (before?.count ?? 0) + 1, sum: (before?.sum ?? 0) + value };
  return {
    total,
    tally: {
      ...tally,
      count: tally.count + 1,
      sum: tally.sum + value,
      sums: move(tally.sums, before?.sum, total.sum),
      counts: move(tally.counts, before?.count, total.count),
    },
  };
}
