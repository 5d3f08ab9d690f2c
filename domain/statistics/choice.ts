import type { Contrast } from "./contrast.ts";
import { standardErrorOf } from "./contrast.ts";
import { normalDensity, normalLowerTail } from "./distributions.ts";
import { shrinkageOf } from "./look.ts";

/** The direction in which a metric should move. */
export type Direction = "increase" | "decrease";

/** Normal belief about an effect, in the metric's unit. */
export interface Belief {
  readonly mean: number;
  readonly deviation: number;
}

/** The risk of choosing now, whatever the verdict. Losses are in the metric's unit and never negative. */
export interface Choice {
  /** Probability that the variant is the better one. */
  readonly chance_better: number;
  /** Average loss of shipping the variant: 0 where it is the better one, the difference where it is not. */
  readonly expected_loss: number;
  /** Average loss of keeping the control. */
  readonly expected_loss_of_control: number;
}

/**
 * Belief about the good side of a difference under the prior N(0, τ²) of the always-valid test: N(kΔ, k·SE²) with
 * k = s/(1+s), mirrored where less is better.
 */
function beliefOf(contrast: Contrast, direction: Direction): Belief {
  const share = shrinkageOf(contrast.weight);
  const sign = direction === "increase" ? 1 : -1;
  return {
    mean: sign * share * contrast.difference.value,
    deviation: Math.sqrt(share) * standardErrorOf(contrast.difference),
  };
}

/** For example a belief N(1, 1) gives a chance of 0.841 and losses of 0.083 and 1.083. */
export function choiceOf(contrast: Contrast, direction: Direction): Choice {
  const { mean, deviation } = beliefOf(contrast, direction);
  return {
    chance_better: deviation > 0 ? normalLowerTail(mean / deviation) : mean > 0 ? 1 : mean < 0 ? 0 : 0.5,
    expected_loss: expectedShortfall(mean, deviation),
    expected_loss_of_control: expectedShortfall(-mean, deviation),
  };
}

/** E[max(−X, 0)] of a normal X. The two terms nearly cancel far from 0, where rounding could turn the sign. */
export function expectedShortfall(mean: number, deviation: number): number {
  if (deviation === 0) return Math.max(0, -mean);
  const z = mean / deviation;
  return Math.max(0, deviation * normalDensity(z) - mean * normalLowerTail(-z));
}

/**
 * The beliefs about the control and each variant on one scale, the control at 0, for the probability to be the best.
 * The control's own uncertainty is the mean of its parts in the contrasts.
 */
export function beliefsOf(contrasts: readonly Contrast[], direction: Direction): Belief[] {
  const sign = direction === "increase" ? 1 : -1;
  const controls = contrasts.map(({ weight, control_error }) => shrinkageOf(weight) * control_error);
  const control = controls.reduce((sum, error) => sum + error, 0) / Math.max(1, controls.length);
  const variants = contrasts.map(({ weight, variant_error, difference }) => ({
    mean: sign * shrinkageOf(weight) * difference.value,
    deviation: Math.sqrt(shrinkageOf(weight) * variant_error),
  }));
  return [{ mean: 0, deviation: Math.sqrt(control) }, ...variants];
}
