import type { Direction } from "./arm.ts";
import { normalCriticalValue, normalDensity, normalLowerTail } from "./distributions.ts";
import { type Effect, type Interval, intervalAround } from "./effect.ts";

/** Normal prior on the effect, in the effect's own unit. */
export interface Prior {
  readonly mean: number;
  readonly variance: number;
}

/** What a wrong decision costs on average, in the effect's unit. */
export interface ExpectedLoss {
  readonly ship_treatment: number;
  readonly keep_control: number;
}

/**
 * Normal posterior of an effect: the effect itself under a flat prior, else both weighted by their precision.
 * `standard_error` of the result is the posterior standard deviation.
 */
export function posterior(effect: Effect, prior: Prior | null): Effect {
  if (prior === null) return effect;
  const dataVariance = effect.standard_error ** 2;
  const share = prior.variance / (prior.variance + dataVariance);
  return {
    estimate: share * effect.estimate + (1 - share) * prior.mean,
    standard_error: Math.sqrt(share * dataVariance),
  };
}

/** A prior stated for the lift, carried over to the absolute difference. */
export function absolutePrior(relative: Prior, controlMean: number): Prior {
  return { mean: relative.mean * Math.abs(controlMean), variance: relative.variance * controlMean ** 2 };
}

/** Probability that the treatment is better: Φ(μ/σ), mirrored where less is better. */
export function chanceToWin(effect: Effect, direction: Direction): number {
  const k = effect.estimate / effect.standard_error;
  return normalLowerTail(direction === "increase" ? k : -k);
}

/**
 * Expected loss of each decision, with k = μ/σ: shipping loses σφ(k) − μΦ(−k), keeping the control σφ(k) + μΦ(k).
 * Never negative; swapped where less is better.
 */
export function expectedLoss(effect: Effect, direction: Direction): ExpectedLoss {
  const below = expectedShortfall(effect.estimate, effect.standard_error);
  const above = expectedShortfall(-effect.estimate, effect.standard_error);
  return direction === "increase"
    ? { ship_treatment: below, keep_control: above }
    : { ship_treatment: above, keep_control: below };
}

/** Interval that holds the effect with probability 1 − `alpha`: μ ± z·σ. */
export function credibleInterval(effect: Effect, alpha: number): Interval {
  return intervalAround(effect, normalCriticalValue(alpha), "two_sided");
}

/** E[max(−X, 0)] of a normal X. The two terms nearly cancel far from 0, where rounding could turn the sign. */
function expectedShortfall(mean: number, deviation: number): number {
  const k = mean / deviation;
  return Math.max(0, deviation * normalDensity(k) - mean * normalLowerTail(-k));
}
