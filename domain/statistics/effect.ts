import type { Arm } from "./arm.ts";
import type { Missing, Reason } from "./reason.ts";

/** An estimated difference between two arms and its standard error, in the same unit. */
export interface Effect {
  readonly estimate: number;
  readonly standard_error: number;
}

/** Lower and upper bound; infinite on the open side of a one-sided interval. */
export type Interval = readonly [lower: number, upper: number];

/** What a test looks for: any difference, only one above, or only one below 0. */
export type Alternative = "two_sided" | "greater" | "less";

/** Why two arms cannot be compared at all; null when they can. */
export function comparisonRefusal(control: Arm, treatment: Arm): Reason | null {
  if (control.n === 0 && treatment.n === 0) return "NO_DATA";
  return control.n < 2 || treatment.n < 2 ? "TOO_FEW_USERS" : null;
}

/** √(vC + vT) with v = variance/n, in the unit of the values. */
export function standardError(control: Arm, treatment: Arm): number {
  return Math.sqrt(control.variance / control.n + treatment.variance / treatment.n);
}

/** Absolute difference mT − mC with its standard error. ZERO_VARIANCE when neither arm varies. */
export function absoluteEffect(control: Arm, treatment: Arm): Effect | Missing {
  const refusal = comparisonRefusal(control, treatment);
  if (refusal !== null) return { reason: refusal };
  return varying({
    estimate: treatment.mean - control.mean,
    standard_error: standardError(control, treatment),
  });
}

/** Lift (mT − mC)/|mC|: a fraction with the sign of the difference, also for a negative control. Null for mC = 0. */
export function relativeLift(controlMean: number, treatmentMean: number): number | null {
  return controlMean === 0 ? null : (treatmentMean - controlMean) / Math.abs(controlMean);
}

/**
 * Lift with its delta-method standard error √(vT/mC² + mT²·vC/mC⁴).
 * For Bayesian and sequential figures only: its interval can contradict the absolute test, Fieller's cannot.
 */
export function relativeEffect(control: Arm, treatment: Arm): Effect | Missing {
  const refusal = comparisonRefusal(control, treatment);
  if (refusal !== null) return { reason: refusal };
  const estimate = relativeLift(control.mean, treatment.mean);
  if (estimate === null) return { reason: "ZERO_CONTROL_MEAN" };
  const ratio = treatment.mean / control.mean;
  const scaled = (arm: Arm) => arm.variance / arm.n / control.mean / control.mean;
  return varying({ estimate, standard_error: Math.sqrt(scaled(treatment) + ratio ** 2 * scaled(control)) });
}

/** estimate ± criticalValue·SE; a one-sided alternative leaves the side open on which it makes no claim. */
export function intervalAround(effect: Effect, criticalValue: number, alternative: Alternative): Interval {
  const margin = criticalValue * effect.standard_error;
  return [
    alternative === "less" ? Number.NEGATIVE_INFINITY : effect.estimate - margin,
    alternative === "greater" ? Number.POSITIVE_INFINITY : effect.estimate + margin,
  ];
}

// Also catches the NaN of a negative variance, which inconsistent sums of a ratio metric can produce.
function varying(effect: Effect): Effect | Missing {
  return effect.standard_error > 0 ? effect : { reason: "ZERO_VARIANCE" };
}
