import {
  type MeasuredMetric,
  moveUser,
  noTotal,
  observationOf,
  type Sums,
  type UserTotal,
} from "../experiments/user-total.ts";
import { addProduct, addValue } from "../statistics/exact-sum.ts";

/** A user's total of a metric at the end of a day. */
export interface DayTotal {
  readonly day: number;
  readonly total: UserTotal;
}

/** What a user's erasure changes in the sums of one day. */
export interface DayChange {
  readonly day: number;
  readonly change: (sums: Sums) => Sums;
}

/**
 * The changes that take a user's part back from the cells of a metric: of each day on which their total moved, in the order
 * of days.
 */
export function givenBack(metric: MeasuredMetric, totals: readonly DayTotal[]): DayChange[] {
  const sorted = [...totals].sort((a, b) => a.day - b.day);
  return sorted.map(({ day, total }, index) => {
    const before = sorted[index - 1]?.total ?? noTotal;
    return { day, change: (sums: Sums) => movedBack(sums, metric, total, before) };
  });
}

/** A covariate may have been set after the first values: then its products moved on the day of the last one. */
function movedBack(sums: Sums, metric: MeasuredMetric, total: UserTotal, before: UserTotal): Sums {
  const moved = moveUser(sums, metric, total, { ...before, covariate: 0 });
  const without = addProduct(sums.xy, total.covariate, -observationOf(metric, total.own));
  return { ...moved, xy: addProduct(without, before.covariate, observationOf(metric, before.own)) };
}

/** The sums of a cell without the covariate of one user. */
export const withoutCovariate = (sums: Sums, x: number): Sums => ({
  ...sums,
  x: addValue(sums.x, -x),
  xx: addProduct(sums.xx, x, -x),
});

/** Whether nobody has a part in these sums. */
export const areEmpty = ({ users_with_value, users_not_zero, count, ...sums }: Sums): boolean =>
  users_with_value === 0 &&
  users_not_zero === 0 &&
  count === 0 &&
  Object.values(sums).every((sum) => sum.high === 0);
