import { addSums, type ExactSum } from "../../statistics/exact-sum.ts";
import type { Cell, MetricSums } from "../cells.ts";
import type { Variant } from "../experiment.ts";

/** Users and sums of one variant in one weight period. */
export interface ArmPeriod {
  readonly users: number;
  readonly metrics: ReadonlyMap<string, MetricSums>;
}

/** One variant with its sums by weight period; undefined is a period without users. */
export interface Arm {
  readonly variant: Variant;
  readonly periods: readonly (ArmPeriod | undefined)[];
}

/**
 * The one table that results, timeline and segments are read from: variant, weight period, metric. Cells of the same
 * variant and period are added up, so that the cells of several days make the table of all of them.
 */
export class ArmTable {
  readonly arms: readonly Arm[];
  readonly #periods: ReadonlyMap<number, (ArmPeriod | undefined)[]>;

  constructor(variants: readonly Variant[], cells: readonly Cell[] = []) {
    this.#periods = new Map(variants.map(({ id }) => [id, []]));
    this.arms = variants.map((variant) => ({ variant, periods: this.#periods.get(variant.id) ?? [] }));
    for (const cell of cells) this.add(cell);
  }

  add({ variant_id, period, users, metrics }: Cell): void {
    const periods = this.#periods.get(variant_id) ?? [];
    const before = periods[period];
    const sums = new Map(before?.metrics);
    for (const metric of metrics) {
      const known = sums.get(metric.metric_name);
      sums.set(metric.metric_name, known === undefined ? metric : mergeMetricSums(known, metric));
    }
    periods[period] = { users: (before?.users ?? 0) + users, metrics: sums };
  }
}

/** Users of an arm over all its periods. */
export const usersOf = ({ periods }: Arm): number =>
  periods.reduce((sum, period) => sum + (period?.users ?? 0), 0);

/** Sums of one metric of an arm over all its periods; undefined without a value. */
export function metricSumsOf({ periods }: Arm, metricName: string): MetricSums | undefined {
  const found = periods.flatMap((period) => period?.metrics.get(metricName) ?? []);
  return found.length === 0 ? undefined : found.reduce(mergeMetricSums);
}

/** The names of all metrics that have values, sorted. */
export function metricNamesOf(arms: readonly Arm[]): string[] {
  const periods = arms.flatMap((arm) => arm.periods.flatMap((period) => period ?? []));
  return [...new Set(periods.flatMap(({ metrics }) => [...metrics.keys()]))].sort();
}

/** The sums of two disjoint groups of users as those of both. */
export function mergeMetricSums(a: MetricSums, b: MetricSums): MetricSums {
  return {
    metric_name: a.metric_name,
    users_with_value: a.users_with_value + b.users_with_value,
    users_not_zero: a.users_not_zero + b.users_not_zero,
    count: a.count + b.count,
    y: addSums(a.y, b.y),
    yy: addSums(a.yy, b.yy),
    covariate: mergeAll(a.covariate, b.covariate),
    denominator: mergeAll(a.denominator, b.denominator),
  };
}

type Sums<Names extends string> = { readonly [name in Names]: ExactSum };

/** Sum by sum; null where one of the two has none. */
function mergeAll<Names extends string>(a: Sums<Names> | null, b: Sums<Names> | null): Sums<Names> | null {
  if (a === null || b === null) return null;
  const merged: { [name in Names]: ExactSum } = { ...a };
  for (const name in a) merged[name] = addSums(a[name], b[name]);
  return merged;
}
