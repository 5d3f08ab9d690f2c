import type { Arm } from "./arm.ts";
import { comparisonRefusal, type Interval, relativeLift, standardError } from "./effect.ts";
import type { Reason } from "./reason.ts";

/** Relative lift as a fraction of the control mean; whatever is missing is null and `reason` says why. */
export interface Lift {
  readonly lift: number | null;
  readonly interval: Interval | null;
  /** c²·vC/mC²: from 1 on the control mean itself cannot be told from 0 and no bounded interval exists. */
  readonly g: number | null;
  readonly reason: Reason | null;
}

/**
 * Relative lift with Fieller's interval for the ratio of two means. Fieller (1954), JRSS B 16(2).
 *
 * With the critical value of the absolute test it excludes 0 exactly when that test rejects. An always-valid critical
 * value gives an always-valid interval, because it holds for every fixed ratio R of the sequence mT − R·mC at once.
 */
export function fiellerLift(control: Arm, treatment: Arm, criticalValue: number): Lift {
  const refusal = comparisonRefusal(control, treatment);
  if (refusal !== null) return { lift: null, interval: null, g: null, reason: refusal };
  const lift = relativeLift(control.mean, treatment.mean);
  if (lift === null) return { lift, interval: null, g: null, reason: "ZERO_CONTROL_MEAN" };
  const g = criticalValue ** 2 * scaledVariance(control, control.mean);
  if (!(standardError(control, treatment) > 0)) {
    return { lift: finiteOrNull(lift), interval: null, g, reason: "ZERO_VARIANCE" };
  }
  const interval = g < 1 ? fiellerInterval(control, treatment, criticalValue, g) : null;
  // A control mean near the smallest double overflows the ratio even where g is small.
  const bounded = interval?.every(Number.isFinite) ?? false;
  return bounded
    ? { lift, interval, g, reason: null }
    : { lift: finiteOrNull(lift), interval: null, g: finiteOrNull(g), reason: "CONTROL_NEAR_ZERO" };
}

function finiteOrNull(figure: number): number | null {
  return Number.isFinite(figure) ? figure : null;
}

/** [R ± c·√(vT(1−g) + R²vC)/|mC|]/(1−g) − 1, mirrored for a negative control mean. */
function fiellerInterval(control: Arm, treatment: Arm, criticalValue: number, g: number): Interval {
  const ratio = treatment.mean / control.mean;
  const spread = Math.sqrt(
    scaledVariance(treatment, control.mean) * (1 - g) + ratio ** 2 * scaledVariance(control, control.mean),
  );
  const lower = (ratio - criticalValue * spread) / (1 - g) - 1;
  const upper = (ratio + criticalValue * spread) / (1 - g) - 1;
  return control.mean > 0 ? [lower, upper] : [-upper, -lower];
}

/** Variance of the arm's mean in units of the control mean squared. */
function scaledVariance(arm: Arm, controlMean: number): number {
  return arm.variance / arm.n / controlMean / controlMean;
}
