import type { Arm } from "./arm.ts";
import { comparisonRefusal, type Effect } from "./effect.ts";
import { mergePairs, type PairedMoments } from "./paired-moments.ts";
import type { Missing } from "./reason.ts";

/** Whether a metric's values are numbers or conversions, 0 or 1. */
export type MetricKind = "mean" | "conversion";

/**
 * CUPED: what a user did before the assignment (`x`) explains part of the metric (`y`), and taking it out narrows the
 * interval without bias. Deng, Xu, Kohavi and Walker (2013), WSDM.
 *
 * θ = cov(x, y)/var(x) over both arms together, so that it does not depend on which one is the control. 0 when nothing
 * varied before the assignment: the metric is left as it is.
 */
export function cupedTheta(control: PairedMoments, treatment: PairedMoments): number {
  const pooled = mergePairs(control, treatment);
  return pooled.x.m2 === 0 ? 0 : pooled.product / pooled.x.m2;
}

/**
 * The arm with mean ȳ − θx̄ and variance s²y + θ²s²x − 2θ·s_xy, its terms with n − 1, or with n for a conversion, as
 * everywhere.
 */
export function cupedArm(moments: PairedMoments, theta: number, kind: MetricKind = "mean"): Arm {
  const { x, y, product } = moments;
  const sum = y.m2 + theta ** 2 * x.m2 - 2 * theta * product;
  const variance = sum / (kind === "conversion" ? y.n : y.n - 1);
  return { n: y.n, mean: y.mean - theta * x.mean, variance: y.n < 2 ? 0 : variance };
}

/**
 * Lift of the adjusted difference over the *unadjusted* |mC|, with its delta-method standard error: the control's part
 * is √((R²·s²y − 2Rθ·s_xy + θ²·s²x)/(nC·mC²)) with R = mT/mC. Reasons as for any lift.
 */
export function cupedRelativeEffect(
  control: PairedMoments,
  treatment: PairedMoments,
  kind: MetricKind = "mean",
): Effect | Missing {
  const theta = cupedTheta(control, treatment);
  const adjustedControl = cupedArm(control, theta, kind);
  const adjustedTreatment = cupedArm(treatment, theta, kind);
  const refusal = comparisonRefusal(adjustedControl, adjustedTreatment);
  if (refusal !== null) return { reason: refusal };
  const baseline = control.y.mean;
  if (baseline === 0) return { reason: "ZERO_CONTROL_MEAN" };
  const ratio = treatment.y.mean / baseline;
  const controlError = cupedArm(scaledOutcome(control, ratio), theta, kind).variance / control.y.n;
  const standard_error =
    Math.sqrt(controlError + adjustedTreatment.variance / treatment.y.n) / Math.abs(baseline);
  const estimate = (adjustedTreatment.mean - adjustedControl.mean) / Math.abs(baseline);
  return standard_error > 0 ? { estimate, standard_error } : { reason: "ZERO_VARIANCE" };
}

function scaledOutcome({ x, y, product }: PairedMoments, factor: number): PairedMoments {
  const scaled = { n: y.n, mean: y.mean * factor, m2: y.m2 * factor ** 2 };
  return { x, y: scaled, product: product * factor };
}
