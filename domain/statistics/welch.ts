import type { Arm } from "./arm.ts";
import { studentCriticalValue, studentUpperTail } from "./distributions.ts";
import {
  type Alternative,
  absoluteEffect,
  type Effect,
  type Interval,
  intervalAround,
  relativeEffect,
} from "./effect.ts";
import { isMissing, type Missing } from "./reason.ts";

/** Fixed-horizon test of one effect: right when looked at once, at the planned end. */
export interface WelchTest extends Effect {
  readonly degrees_of_freedom: number;
  readonly t: number;
  readonly p_value: number;
  readonly interval: Interval;
}

/**
 * Degrees of freedom SE⁴/(vC²/(nC−1) + vT²/(nT−1)). Welch (1947), Satterthwaite (1946).
 * Computed from each arm's share of SE², so that values near 1e-100 or 1e100 neither underflow nor overflow.
 * One arm without variance leaves the other's n − 1; both without give NaN, which the tests refuse beforehand.
 */
export function welchDegreesOfFreedom(control: Arm, treatment: Arm): number {
  const controlError = control.variance / control.n;
  const treatmentError = treatment.variance / treatment.n;
  const total = controlError + treatmentError;
  const part = (error: number, n: number) => (error / total) ** 2 / (n - 1);
  return 1 / (part(controlError, control.n) + part(treatmentError, treatment.n));
}

/**
 * Welch's t-test of the absolute difference, with its interval Δ ± t·SE at confidence 1 − `alpha`.
 * TOO_FEW_USERS below two users an arm, ZERO_VARIANCE when neither arm varies.
 */
export function welchTest(
  control: Arm,
  treatment: Arm,
  alpha: number,
  alternative: Alternative = "two_sided",
): WelchTest | Missing {
  const effect = absoluteEffect(control, treatment);
  if (isMissing(effect)) return effect;
  return studentTest(effect, welchDegreesOfFreedom(control, treatment), alpha, alternative);
}

/**
 * The same test of the relative lift, with the delta-method standard error and the degrees of freedom of the absolute
 * difference. Its p-value can disagree with the absolute one: it is here to compare with systems that report it.
 */
export function relativeWelchTest(
  control: Arm,
  treatment: Arm,
  alpha: number,
  alternative: Alternative = "two_sided",
): WelchTest | Missing {
  const effect = relativeEffect(control, treatment);
  if (isMissing(effect)) return effect;
  return studentTest(effect, welchDegreesOfFreedom(control, treatment), alpha, alternative);
}

/** t = estimate/SE against Student's t, p from the tail itself, never as `2(1 − cdf)`. */
export function studentTest(
  effect: Effect,
  degreesOfFreedom: number,
  alpha: number,
  alternative: Alternative = "two_sided",
): WelchTest {
  const t = effect.estimate / effect.standard_error;
  const criticalValue = studentCriticalValue(alpha, degreesOfFreedom, alternative === "two_sided" ? 2 : 1);
  return {
    estimate: effect.estimate,
    standard_error: effect.standard_error,
    degrees_of_freedom: degreesOfFreedom,
    t,
    p_value: studentPValue(t, degreesOfFreedom, alternative),
    interval: intervalAround(effect, criticalValue, alternative),
  };
}

/** P-value of t: both tails beyond |t|, or the one tail that the alternative asks about. */
export function studentPValue(t: number, degreesOfFreedom: number, alternative: Alternative): number {
  if (alternative === "greater") return studentUpperTail(t, degreesOfFreedom);
  if (alternative === "less") return studentUpperTail(-t, degreesOfFreedom);
  return 2 * studentUpperTail(Math.abs(t), degreesOfFreedom);
}
