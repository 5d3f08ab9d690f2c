import type { Arm } from "./arm.ts";
import { normalCriticalValue } from "./distributions.ts";
import type { Missing } from "./reason.ts";

/** A sample quantile of the users' values with the sample quantiles at ν ± z·√(ν(1−ν)/n) around it. */
export interface QuantileSample {
  readonly n: number;
  /** Which quantile, between 0 and 1. */
  readonly probability: number;
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * The arm of a quantile metric: standard error (upper − lower)/(2z), from the order statistics around the quantile.
 * `alpha` is the one that the bounds were taken at. TOO_FEW_USERS when those bounds would leave the sample,
 * ZERO_VARIANCE when they coincide.
 */
export function quantileArm(sample: QuantileSample, alpha: number): Arm | Missing {
  const z = normalCriticalValue(alpha);
  const odds = sample.probability / (1 - sample.probability);
  if (sample.n <= z * z * Math.max(odds, 1 / odds)) return { reason: "TOO_FEW_USERS" };
  if (sample.upper === sample.lower) return { reason: "ZERO_VARIANCE" };
  const standardError = (sample.upper - sample.lower) / (2 * z);
  return { n: sample.n, mean: sample.value, variance: (sample.n - 1) * standardError ** 2 };
}
