import type { RawValues } from "../../../domain/experiments/cells.ts";
import type { NotCounted, Sums, UserTotal } from "../../../domain/experiments/user-total.ts";
import { addSums, addValue, type ExactSum } from "../../../domain/statistics/exact-sum.ts";

// Rows of the cells' tables, and what they hold in the words of the domain: each sum is a pair of columns.

/** What a column of these tables holds. */
export type Value = number | string | null;

/**
 * The values of these columns, in their order. Statements of the hot path have parameters by position: to look up a dozen
 * by their names takes as long as the statement itself.
 */
export const valuesIn = <Column extends string, Held extends Value>(
  row: Readonly<Record<Column, Held>>,
  columns: readonly Column[],
): Held[] => columns.map((column) => row[column]);

/** As many placeholders. */
export const placesOf = (parameters: number): string => Array(parameters).fill("?").join(", ");

/** The day of the rows that add up all days; no instant that is accepted has one as early. */
export const ALL_DAYS = -1_000_000;

export interface CellKey {
  readonly test_id: number;
  readonly day: number;
  readonly variant_id: number;
  readonly period: number;
}
export interface SumsKey extends CellKey {
  readonly metric_name: string;
  readonly declared: number;
}
export interface RawKey {
  readonly test_id: number;
  readonly variant_id: number;
  readonly metric_name: string;
}

export interface SumsRow {
  users_with_value: number;
  users_not_zero: number;
  count: number;
  y: number;
  y_low: number;
  yy: number;
  yy_low: number;
  x: number;
  x_low: number;
  xx: number;
  xx_low: number;
  xy: number;
  xy_low: number;
  d: number;
  d_low: number;
  dd: number;
  dd_low: number;
  yd: number;
  yd_low: number;
}

export const SUMS = [
  "users_with_value",
  "users_not_zero",
  "count",
  "y",
  "y_low",
  "yy",
  "yy_low",
  "x",
  "x_low",
  "xx",
  "xx_low",
  "xy",
  "xy_low",
  "d",
  "d_low",
  "dd",
  "dd_low",
  "yd",
  "yd_low",
] as const;

const pair = (high: number, low: number): ExactSum => ({ high, low });

export const sumsOf = (row: SumsRow): Sums => ({
  users_with_value: row.users_with_value,
  users_not_zero: row.users_not_zero,
  count: row.count,
  y: pair(row.y, row.y_low),
  yy: pair(row.yy, row.yy_low),
  x: pair(row.x, row.x_low),
  xx: pair(row.xx, row.xx_low),
  xy: pair(row.xy, row.xy_low),
  d: pair(row.d, row.d_low),
  dd: pair(row.dd, row.dd_low),
  yd: pair(row.yd, row.yd_low),
});

export const sumsRowOf = (sums: Sums): SumsRow => ({
  users_with_value: sums.users_with_value,
  users_not_zero: sums.users_not_zero,
  count: sums.count,
  y: sums.y.high,
  y_low: sums.y.low,
  yy: sums.yy.high,
  yy_low: sums.yy.low,
  x: sums.x.high,
  x_low: sums.x.low,
  xx: sums.xx.high,
  xx_low: sums.xx.low,
  xy: sums.xy.high,
  xy_low: sums.xy.low,
  d: sums.d.high,
  d_low: sums.d.low,
  dd: sums.dd.high,
  dd_low: sums.dd.low,
  yd: sums.yd.high,
  yd_low: sums.yd.low,
});

export interface TotalRow {
  declared: number;
  day: number;
  count: number;
  total: number;
  total_low: number;
  denominator_count: number;
  denominator_total: number;
  denominator_total_low: number;
  covariate: number;
}

export const TOTAL = [
  "declared",
  "day",
  "count",
  "total",
  "total_low",
  "denominator_count",
  "denominator_total",
  "denominator_total_low",
  "covariate",
] as const;

export const userTotalOf = (row: TotalRow): UserTotal => ({
  own: { count: row.count, total: pair(row.total, row.total_low) },
  denominator: {
    count: row.denominator_count,
    total: pair(row.denominator_total, row.denominator_total_low),
  },
  covariate: row.covariate,
});

export const totalRowOf = ({ own, denominator, covariate }: UserTotal) => ({
  count: own.count,
  total: own.total.high,
  total_low: own.total.low,
  denominator_count: denominator.count,
  denominator_total: denominator.total.high,
  denominator_total_low: denominator.total.low,
  covariate,
});

export interface RawRow {
  count: number;
  sum: number;
  sum_low: number;
  min: number | null;
  max: number | null;
  before_assignment: number;
  after_stop: number;
  after_window: number;
  wrong_type: number;
  out_of_range: number;
}

export const RAW = [
  "count",
  "sum",
  "sum_low",
  "min",
  "max",
  "before_assignment",
  "after_stop",
  "after_window",
  "wrong_type",
  "out_of_range",
] as const;

export const emptyRaw = (): RawRow => ({
  count: 0,
  sum: 0,
  sum_low: 0,
  min: null,
  max: null,
  before_assignment: 0,
  after_stop: 0,
  after_window: 0,
  wrong_type: 0,
  out_of_range: 0,
});

/** Whether no value was ever stored. */
export const isEmptyRaw = (row: RawRow): boolean =>
  row.count +
    row.before_assignment +
    row.after_stop +
    row.after_window +
    row.wrong_type +
    row.out_of_range ===
  0;

/** Raw values without those of a user, whose smallest and largest values were not the ends of all. */
export function withoutRawValues(row: RawRow, own: RawRow): RawRow {
  const sum = addSums({ high: row.sum, low: row.sum_low }, { high: -own.sum, low: -own.sum_low });
  return {
    ...row,
    count: row.count - own.count,
    sum: sum.high,
    sum_low: sum.low,
    before_assignment: row.before_assignment - own.before_assignment,
    after_stop: row.after_stop - own.after_stop,
    after_window: row.after_window - own.after_window,
    wrong_type: row.wrong_type - own.wrong_type,
    out_of_range: row.out_of_range - own.out_of_range,
  };
}

/** Raw values with one more stored value, and the reason where it does not count; without a value, the reason alone. */
export function withRawValue(row: RawRow, value: number | null, reason?: NotCounted): RawRow {
  const noted = reason === undefined ? row : { ...row, [reason]: row[reason] + 1 };
  if (value === null) return noted;
  const added = addValue({ high: row.sum, low: row.sum_low }, value);
  return {
    ...noted,
    count: row.count + 1,
    sum: added.high,
    sum_low: added.low,
    min: Math.min(row.min ?? value, value),
    max: Math.max(row.max ?? value, value),
  };
}

export const rawValuesOf = ({
  variant_id,
  metric_name,
  count,
  sum,
  min,
  max,
  before_assignment,
  after_stop,
  after_window,
  wrong_type,
  out_of_range,
}: RawRow & { variant_id: number; metric_name: string }): RawValues => ({
  variant_id,
  metric_name,
  count,
  sum,
  min,
  max,
  dropped: { before_assignment, after_stop, after_window, wrong_type, out_of_range },
});
