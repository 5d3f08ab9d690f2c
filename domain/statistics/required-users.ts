import { normalQuantile } from "./distributions.ts";
import { anyTimeCriticalValue, plannedCriticalValue } from "./look.ts";

/** One arm of a plan: its share of all users, and the variance of the observations per user. */
export interface PlannedArm {
  readonly share: number;
  readonly variance: number;
}

/** One comparison of a plan: what it should find, and how surely. */
export interface PlannedComparison {
  readonly control: PlannedArm;
  readonly variant: PlannedArm;
  /** The true difference of the means, not 0; or the margin of a guardrail. */
  readonly difference: number;
  readonly alpha: number;
  /** How many comparisons share α. */
  readonly comparisons: number;
  /** Probability that the difference is found. */
  readonly power: number;
}

/**
 * Users in all arms that a single look at a planned end needs, not rounded: (q + z_β)²·V/δ² with the larger of the
 * pooled and the unpooled variance V. Example: 10 % to 12 % at 50/50, 80 % power and α = 5 % needs 7,931.2.
 */
export const plannedUsers = (comparison: PlannedComparison): number =>
  usersAt(comparison, plannedCriticalValue(comparison));

/**
 * Users in all arms that a decision at any time needs, not rounded: the number that suffices at its own critical value.
 * Example: 10 % to 12 % at 50/50, 80 % power and α = 5 % needs 16,902.1.
 */
export const anyTimeUsers = (comparison: PlannedComparison): number =>
  smallest((users) => suffices(comparison, users, "any_time"), plannedUsers(comparison));

/** Whether this number of users in all arms finds the difference with the power that is asked for. */
export function suffices(
  comparison: PlannedComparison,
  users: number,
  decision: "planned" | "any_time",
): boolean {
  const { control, variant, alpha, comparisons } = comparison;
  const weight = (users * control.share * variant.share) / (control.share + variant.share);
  const criticalValue =
    decision === "planned"
      ? plannedCriticalValue(comparison)
      : anyTimeCriticalValue(weight, alpha / comparisons);
  return users >= usersAt(comparison, criticalValue);
}

/** Users with which a difference is found by a test of this critical value. */
function usersAt(comparison: PlannedComparison, criticalValue: number): number {
  const errors = criticalValue + normalQuantile(comparison.power);
  return (errors ** 2 * varianceOf(comparison)) / comparison.difference ** 2;
}

/** The variance of the difference times the number of all users. */
function varianceOf({ control, variant, difference }: PlannedComparison): number {
  const both = control.share + variant.share;
  const unpooled = control.variance / control.share + variant.variance / variant.share;
  const between = ((control.share * variant.share) / both ** 2) * difference ** 2;
  const within = (control.share * control.variance + variant.share * variant.variance) / both;
  return Math.max(unpooled, (within + between) * (1 / control.share + 1 / variant.share));
}

const MOST = 1e15;

/** The smallest positive number that is enough; infinite where none up to 1e15 is. `start` is a first guess. */
export function smallest(isEnough: (value: number) => boolean, start: number): number {
  let [low, high] = [0, start];
  while (!isEnough(high)) {
    if (!(high < MOST)) return Number.POSITIVE_INFINITY;
    [low, high] = [high, 2 * high];
  }
  return smallestBetween(isEnough, low, high);
}

/** The smallest number between one that is not enough and one that is, to the last digit. */
export function smallestBetween(isEnough: (value: number) => boolean, low: number, high: number): number {
  const middle = (low + high) / 2;
  if (middle <= low || middle >= high) return high;
  return isEnough(middle) ? smallestBetween(isEnough, low, middle) : smallestBetween(isEnough, middle, high);
}
