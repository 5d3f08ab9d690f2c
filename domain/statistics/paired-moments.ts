import { addValue, type Moments, mergeMoments, noMoments } from "./moments.ts";

/** Moments of two values of each user (`x`, `y`) and `product`, the sum of the products of their deviations. */
export interface PairedMoments {
  readonly x: Moments;
  readonly y: Moments;
  readonly product: number;
}

export const noPairs: PairedMoments = { x: noMoments, y: noMoments, product: 0 };

/** One more user. */
export function addPair(moments: PairedMoments, x: number, y: number): PairedMoments {
  const added = addValue(moments.x, x);
  const product = moments.product + (x - added.mean) * (y - moments.y.mean);
  return { x: added, y: addValue(moments.y, y), product };
}

/** Both sets together; the product grows like M2 in `mergeMoments`. */
export function mergePairs(a: PairedMoments, b: PairedMoments): PairedMoments {
  if (a.x.n === 0) return b;
  if (b.x.n === 0) return a;
  const between = (b.x.mean - a.x.mean) * (b.y.mean - a.y.mean) * ((a.x.n / (a.x.n + b.x.n)) * b.x.n);
  return { x: mergeMoments(a.x, b.x), y: mergeMoments(a.y, b.y), product: a.product + b.product + between };
}

/** Sample covariance with n − 1; meaningless below two users. */
export function covariance(moments: PairedMoments): number {
  return moments.product / (moments.x.n - 1);
}

/** Two conversions of each user, counted: `both` is the number of users with both. */
export function pairedConversions(users: number, x: number, y: number, both: number): PairedMoments {
  const conversions = (converted: number): Moments => {
    const mean = converted / users;
    return { n: users, mean, m2: users * mean * (1 - mean) };
  };
  return { x: conversions(x), y: conversions(y), product: both - (x * y) / users };
}
