import { type Moments, variance } from "./moments.ts";

/** One arm of a comparison. `variance` is per user and has no meaning below two users, where every method refuses. */
export interface Arm {
  readonly n: number;
  readonly mean: number;
  readonly variance: number;
}

/** How many of an arm's users have at least one value. */
export interface Conversions {
  readonly users: number;
  readonly converted: number;
}

/** Which way a metric ought to move. */
export type Direction = "increase" | "decrease";

/** The arm of a `mean` or `count` metric. */
export function armOf(moments: Moments): Arm {
  return { n: moments.n, mean: moments.mean, variance: variance(moments) ?? 0 };
}

/** The arm of a `conversion` metric: variance p(1 − p), as for a proportion, not with n − 1. */
export function conversionArm({ users, converted }: Conversions): Arm {
  const mean = users === 0 ? 0 : converted / users;
  return { n: users, mean, variance: mean * (1 - mean) };
}
