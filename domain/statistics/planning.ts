import type { Arm } from "./arm.ts";
import { normalCriticalValue, normalLowerTail } from "./distributions.ts";
import { relativeEffect } from "./effect.ts";
import { isMissing, type Missing } from "./reason.ts";
import { sequentialCriticalValue } from "./sequential.ts";

/** Error rates of a plan: `alpha` two-sided, `power` the probability to find an effect of the planned size. */
export interface ErrorRates {
  readonly alpha: number;
  readonly power: number;
}

/**
 * Which variance a plan for proportions takes for the test itself: of both rates (`unpooled`), or twice that of the
 * baseline (`pooled_baseline`), as the widely used calculator does.
 */
export type ProportionFormula = "unpooled" | "pooled_baseline";

/** Users in each arm. Not rounded: round up what is shown. */
export interface SampleSize {
  readonly control: number;
  readonly treatment: number;
}

/** z_{1−α/2} + z_{1−β}: how many standard errors the planned effect must span. */
export function requiredStandardErrors({ alpha, power }: ErrorRates): number {
  return normalCriticalValue(alpha) + normalCriticalValue(1 - power, 1);
}

/**
 * Users an arm, not rounded, to find an absolute `difference` from the rate `baseline`, in equal arms:
 * (z_{1−α/2} + z_{1−β})²·(p1q1 + p2q2)/δ², or (z_{1−α/2}√(2p1q1) + z_{1−β}√(p1q1 + p2q2))²/δ².
 * Null when the difference is 0 or leads out of [0, 1].
 */
export function sampleSizeForProportions(
  baseline: number,
  difference: number,
  rates: ErrorRates,
  formula: ProportionFormula = "unpooled",
): number | null {
  const target = baseline + difference;
  if (difference === 0 || target < 0 || target > 1) return null;
  const [before, after] = [baseline * (1 - baseline), target * (1 - target)];
  const testVariance = formula === "unpooled" ? before + after : 2 * before;
  const significance = normalCriticalValue(rates.alpha) * Math.sqrt(testVariance);
  const detection = normalCriticalValue(1 - rates.power, 1) * Math.sqrt(before + after);
  return ((significance + detection) / difference) ** 2;
}

/**
 * Users in each arm, not rounded, to find an absolute `difference` of means with a per-user `variance` equal in both:
 * nT = (z_{1−α/2} + z_{1−β})²·s²·(1 + 1/r)/δ² and nC = r·nT, r = `controlPerTreatment`. Null for a difference of 0.
 */
export function sampleSizeForMeans(
  variance: number,
  difference: number,
  rates: ErrorRates,
  controlPerTreatment = 1,
): SampleSize | null {
  if (difference === 0) return null;
  const treatment =
    (requiredStandardErrors(rates) / difference) ** 2 * variance * (1 + 1 / controlPerTreatment);
  return { control: controlPerTreatment * treatment, treatment };
}

/** Users an arm by Lehr's rule 16·s²/δ² (80 % power at α = 0.05), to check a plan in one's head. Lehr (1992). */
export function lehrSampleSize(variance: number, difference: number): number {
  return (16 * variance) / difference ** 2;
}

/** Smallest absolute difference of means that arms of these sizes find, for a per-user `variance` equal in both. */
export function detectableDifference(variance: number, sizes: SampleSize, rates: ErrorRates): number {
  return requiredStandardErrors(rates) * Math.sqrt(variance / sizes.control + variance / sizes.treatment);
}

/**
 * How much wider an always-valid interval is than a fixed-horizon one, for arms of `users` together: the factor by
 * which repeated looks inflate the standard error of a plan. `tuningUsers` null: one look, factor 1.
 */
export function sequentialInflation(users: number, alpha: number, tuningUsers: number | null): number {
  if (tuningUsers === null) return 1;
  return sequentialCriticalValue(users, { alpha, tuningUsers }) / normalCriticalValue(alpha);
}

/** Probability that |estimate| exceeds `criticalValue` standard errors when the true effect is `effect`. */
export function powerOf(effect: number, standardError: number, criticalValue: number): number {
  const k = effect / standardError;
  return normalLowerTail(k - criticalValue) + normalLowerTail(-k - criticalValue);
}

/** What is known of a metric before the test: per-user mean and variance of the control, and the users in each arm. */
export interface LiftPlan {
  readonly mean: number;
  readonly variance: number;
  readonly usersPerArm: number;
  readonly alpha: number;
  /** N* when the test will be looked at repeatedly, null for one look at the end. */
  readonly tuningUsers: number | null;
}

/** Power to find a relative `lift`, with the delta-method standard error at that lift and equal variances. */
export function powerForLift(plan: LiftPlan, lift: number): number {
  const squared = (1 + (1 + lift) ** 2) * armVariance(plan);
  return powerOf(lift, inflation(plan) * Math.sqrt(squared), normalCriticalValue(plan.alpha));
}

/**
 * Smallest positive lift found with probability `power`: the root of L² = k·(1 + (1 + L)²), k the squared number of
 * standard errors times s²/(n·m²). Null when the arms are too small for any lift (k ≥ 1).
 */
export function detectableLift(plan: LiftPlan, power: number): number | null {
  const errors = requiredStandardErrors({ alpha: plan.alpha, power }) * inflation(plan);
  const k = errors ** 2 * armVariance(plan);
  return k >= 1 ? null : (k + Math.sqrt(k * k + 2 * k * (1 - k))) / (1 - k);
}

/** How much longer a running test must go on. */
export interface Continuation {
  /** Squared standard error of the lift now. */
  readonly variance: number;
  /** Further users as a multiple of those so far, at the same split; 0 when there are enough. */
  readonly factor: number;
  readonly additional_users: number;
  /** Power at the end. */
  readonly power: number;
}

/**
 * Users still needed to find `targetLift`, judged by the arms so far. Solved by bisection, because the always-valid
 * critical value itself depends on the number of users. Reasons as for any lift.
 */
export function additionalUsers(
  control: Arm,
  treatment: Arm,
  targetLift: number,
  rates: ErrorRates,
  tuningUsers: number | null,
): Continuation | Missing {
  const effect = relativeEffect(control, treatment);
  if (isMissing(effect)) return effect;
  const users = control.n + treatment.n;
  const powerAt = (factor: number) => {
    const criticalValue =
      normalCriticalValue(rates.alpha) * sequentialInflation(users * (1 + factor), rates.alpha, tuningUsers);
    return powerOf(targetLift, effect.standard_error / Math.sqrt(1 + factor), criticalValue);
  };
  const factor = smallestFactor((candidate) => powerAt(candidate) >= rates.power);
  return {
    variance: effect.standard_error ** 2,
    factor,
    additional_users: factor * users,
    power: powerAt(factor),
  };
}

/** Smallest factor from 0 on that is enough; infinite when none up to 1e12 is. */
function smallestFactor(isEnough: (factor: number) => boolean): number {
  let [low, high] = [0, 1e-3];
  if (isEnough(low)) return 0;
  while (!isEnough(high)) {
    if (high > 1e12) return Number.POSITIVE_INFINITY;
    [low, high] = [high, high * 2];
  }
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (isEnough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function armVariance(plan: LiftPlan): number {
  return plan.variance / plan.usersPerArm / plan.mean ** 2;
}

function inflation(plan: LiftPlan): number {
  return sequentialInflation(2 * plan.usersPerArm, plan.alpha, plan.tuningUsers);
}
