/**
 * Size, mean and sum of squared deviations (`m2`) of a set of values: all that most methods need, and mergeable.
 *
 * The sum of squares is never kept: `SUM(x²) − (SUM x)²/n` subtracts two nearly equal numbers and turns a true
 * variance of 0.01 around a mean of 1e7 into −2.
 */
export interface Moments {
  readonly n: number;
  readonly mean: number;
  readonly m2: number;
}

export const noMoments: Moments = { n: 0, mean: 0, m2: 0 };

/** One more value. Welford (1962), Technometrics 4(3). A list of equal values keeps an `m2` of exactly 0. */
export function addValue(moments: Moments, value: number): Moments {
  const n = moments.n + 1;
  const delta = value - moments.mean;
  const mean = moments.mean + delta / n;
  return { n, mean, m2: moments.m2 + delta * (value - mean) };
}

/**
 * One of the values changes from `from` to `to`: a user's total after one more tracked value.
 * M2 grows by (to − from)·(to − mean after + from − mean before), and is kept at or above 0, which rounding could cross.
 * A user's first value is better added than moved up from 0: a move as large as the values costs their last digits,
 * and where all totals end up equal it can leave a residue of some 1e-13 of the square of the move instead of 0.
 */
export function moveValue(moments: Moments, from: number, to: number): Moments {
  if (moments.n === 0) return moments;
  if (moments.n === 1) return { n: 1, mean: to, m2: 0 };
  const mean = moments.mean + (to - from) / moments.n;
  const growth = (to - from) * (to - mean + (from - moments.mean));
  return { n: moments.n, mean, m2: Math.max(0, moments.m2 + growth) };
}

/** Both sets together. Chan, Golub and LeVeque (1983), The American Statistician 37(3). */
export function mergeMoments(a: Moments, b: Moments): Moments {
  if (a.n === 0) return b;
  if (b.n === 0) return a;
  const n = a.n + b.n;
  const delta = b.mean - a.mean;
  return { n, mean: a.mean + delta * (b.n / n), m2: a.m2 + b.m2 + delta * delta * ((a.n / n) * b.n) };
}

/** `count` further values of 0: assigned users who have tracked nothing. */
export function addZeros(moments: Moments, count: number): Moments {
  return mergeMoments(moments, { n: count, mean: 0, m2: 0 });
}

/** Sample variance with n − 1 in the denominator, in the square of the values' unit; null below two values. */
export function variance(moments: Moments): number | null {
  return moments.n < 2 ? null : moments.m2 / (moments.n - 1);
}

/** Moments of a list in two passes: the mean first, then the squared deviations from it. */
export function momentsOf(values: readonly number[]): Moments {
  const [first] = values;
  if (first === undefined) return noMoments;
  // Counted from the first value, the mean of equal values is exact, and large values keep their small differences.
  const mean = first + values.reduce((sum, value) => sum + (value - first), 0) / values.length;
  return { n: values.length, mean, m2: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) };
}
