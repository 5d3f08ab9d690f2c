import { type Arm, type Conversions, conversionArm } from "./arm.ts";
import { chiSquaredUpperTail, normalCriticalValue, normalUpperTail } from "./distributions.ts";
import { type Alternative, absoluteEffect, type Effect, type Interval, intervalAround } from "./effect.ts";
import { isMissing, type Missing } from "./reason.ts";

/** Fixed-horizon test against the normal distribution. */
export interface NormalTest extends Effect {
  readonly z: number;
  readonly p_value: number;
  readonly interval: Interval;
}

/** z = estimate/SE with its p-value and interval estimate ± z·SE (Wald): the limit of Welch's test for many users. */
export function normalTest(
  effect: Effect,
  alpha: number,
  alternative: Alternative = "two_sided",
): NormalTest {
  const z = effect.estimate / effect.standard_error;
  const criticalValue = normalCriticalValue(alpha, alternative === "two_sided" ? 2 : 1);
  const pValues = {
    two_sided: 2 * normalUpperTail(Math.abs(z)),
    greater: normalUpperTail(z),
    less: normalUpperTail(-z),
  };
  return {
    ...effect,
    z,
    p_value: pValues[alternative],
    interval: intervalAround(effect, criticalValue, alternative),
  };
}

/**
 * Pearson's chi-squared test of two proportions (pooled variance, no continuity correction).
 * ZERO_VARIANCE when everybody or nobody converted.
 */
export function pooledProportionTest(
  control: Conversions,
  treatment: Conversions,
): { readonly chi_square: number; readonly p_value: number } | Missing {
  if (control.users === 0 || treatment.users === 0) return { reason: "NO_DATA" };
  const pooled = (control.converted + treatment.converted) / (control.users + treatment.users);
  const variance = pooled * (1 - pooled) * (1 / control.users + 1 / treatment.users);
  if (variance === 0) return { reason: "ZERO_VARIANCE" };
  const difference = conversionArm(treatment).mean - conversionArm(control).mean;
  const chi_square = difference ** 2 / variance;
  return { chi_square, p_value: chiSquaredUpperTail(chi_square, 1) };
}

/** Outcome of a non-inferiority test; the margin in the metric's unit. */
export interface NonInferiority {
  readonly margin: number;
  readonly z: number;
  readonly p_value: number;
  readonly non_inferior: boolean;
}

/**
 * Is the treatment worse by no more than `relativeMargin` (a fraction of the control mean)?
 * z = (Δ + margin)/SE, one-sided; for a metric where more is better. Reasons as for the absolute difference.
 */
export function nonInferiorityTest(
  control: Arm,
  treatment: Arm,
  relativeMargin: number,
  alpha: number,
): NonInferiority | Missing {
  const effect = absoluteEffect(control, treatment);
  if (isMissing(effect)) return effect;
  const margin = relativeMargin * Math.abs(control.mean);
  const shifted = { estimate: effect.estimate + margin, standard_error: effect.standard_error };
  const { z, p_value } = normalTest(shifted, alpha, "greater");
  return { margin, z, p_value, non_inferior: p_value < alpha };
}
