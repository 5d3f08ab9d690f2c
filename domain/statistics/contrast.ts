import type { ArmCell, CellPair } from "./arm-cell.ts";

/** Lower and upper bound, in the unit of the estimate. */
export type Bounds = readonly [lower: number, upper: number];

/** constant + 2·slope·x + curvature·x² */
interface Quadratic {
  readonly constant: number;
  readonly slope: number;
  readonly curvature: number;
}

/**
 * An estimate and what it takes to test any other value of it. With x the distance from the estimate,
 * r²(x) = (scale·x)² / max(pooled(x), unpooled(x)).
 *
 * The larger of the two variances decides. A small arm whose variance is still underestimated (no large value yet) is
 * judged by the pooled variance, which the big arm supplies; a small arm with a large value is judged by its own.
 */
export interface Estimate {
  readonly value: number;
  readonly scale: number;
  /** The variance if the variant were the control, shifted or scaled by the tested value. */
  readonly pooled: Quadratic;
  /** Welch's variance, stratified. */
  readonly unpooled: Quadratic;
}

/** A variant against the control over the weight periods in which both have users. */
export interface Contrast {
  readonly control_users: number;
  readonly variant_users: number;
  /** H = Σ n_A·n_B/(n_A+n_B): overlap (Mantel–Haenszel) weights. A quarter of the effective users. */
  readonly weight: number;
  /** Means standardised to the same mix of periods; the plain means where there is one period. */
  readonly control_level: number;
  readonly variant_level: number;
  readonly difference: Estimate;
  /** Variant over control; null where the control's level is 0. */
  readonly ratio: Estimate | null;
  /** Squared standard errors of the two levels by each arm's own variance. */
  readonly control_error: number;
  readonly variant_error: number;
}

interface Period extends CellPair {
  /** n_A·n_B/(n_A+n_B) */
  readonly h: number;
  /** n_A + n_B − 1 */
  readonly freedom: number;
  /** Squared standard error of each mean. */
  readonly controlError: number;
  readonly variantError: number;
}

/**
 * The contrast of one or more weight periods, each with at least one user in both cells; null without a period.
 * Example: 500 of 5,000 against 612 of 5,100 conversions have levels 0.1 and 0.12, and a difference of 0.02.
 */
export function contrastOf(pairs: readonly CellPair[]): Contrast | null {
  if (pairs.length === 0) return null;
  const periods = pairs.map(periodOf);
  const sum = (figure: (period: Period) => number): number =>
    periods.reduce((total, period) => total + figure(period), 0);
  const weight = sum(({ h }) => h);
  const control = sum(({ h, control: { mean } }) => h * mean);
  const variant = sum(({ h, variant: { mean } }) => h * mean);
  return {
    control_users: sum((period) => period.control.users),
    variant_users: sum((period) => period.variant.users),
    weight,
    control_level: control / weight,
    variant_level: variant / weight,
    difference: differenceOf(sum, weight),
    ratio: control === 0 ? null : ratioOf(sum, control, variant),
    control_error: sum(({ h, controlError }) => h * h * controlError) / weight ** 2,
    variant_error: sum(({ h, variantError }) => h * h * variantError) / weight ** 2,
  };
}

function periodOf({ control, variant }: CellPair): Period {
  const users = control.users + variant.users;
  return {
    control,
    variant,
    h: (control.users * variant.users) / users,
    freedom: users - 1,
    controlError: varianceOf(control, variant) / control.users,
    variantError: varianceOf(variant, control) / variant.users,
  };
}

/** A cell of one user borrows the other arm's variance of that period. */
function varianceOf(cell: ArmCell, other: ArmCell): number {
  if (cell.users > 1) return cell.spread / (cell.users - 1);
  return other.users > 1 ? other.spread / (other.users - 1) : 0;
}

type Sum = (figure: (period: Period) => number) => number;

function differenceOf(sum: Sum, weight: number): Estimate {
  const value = sum(({ h, control, variant }) => h * (variant.mean - control.mean)) / weight;
  const rest = ({ control, variant }: Period): number => variant.mean - control.mean - value;
  return {
    value,
    scale: weight,
    pooled: {
      constant: sum(
        (one) => (one.h * (one.control.spread + one.variant.spread + one.h * rest(one) ** 2)) / one.freedom,
      ),
      slope: -sum((one) => (one.h ** 2 * rest(one)) / one.freedom),
      curvature: sum(({ h, freedom }) => h ** 2 / freedom),
    },
    unpooled: {
      constant: sum(({ h, controlError, variantError }) => h ** 2 * (controlError + variantError)),
      slope: 0,
      curvature: 0,
    },
  };
}

/** The same test of "variant mean = R × control mean", around R = Σh·m_B / Σh·m_A. */
function ratioOf(sum: Sum, control: number, variant: number): Estimate {
  const value = variant / control;
  const rest = (one: Period): number => one.variant.mean - value * one.control.mean;
  const own = sum(({ h, controlError }) => h ** 2 * controlError);
  return {
    value,
    scale: Math.abs(control),
    pooled: {
      constant: sum(
        (one) =>
          (one.h * (one.variant.spread + value ** 2 * one.control.spread + one.h * rest(one) ** 2)) /
          one.freedom,
      ),
      slope: sum(
        (one) => (one.h * (value * one.control.spread - one.h * one.control.mean * rest(one))) / one.freedom,
      ),
      curvature: sum((one) => (one.h * (one.control.spread + one.h * one.control.mean ** 2)) / one.freedom),
    },
    unpooled: {
      constant: sum(({ h, variantError }) => h ** 2 * variantError) + value ** 2 * own,
      slope: value * own,
      curvature: own,
    },
  };
}

const at = ({ constant, slope, curvature }: Quadratic, x: number): number =>
  constant + 2 * slope * x + curvature * x * x;

/** The larger variance at distance x from the estimate, in the unit of (scale·x)². */
export const varianceAt = ({ pooled, unpooled }: Estimate, x: number): number =>
  Math.max(at(pooled, x), at(unpooled, x));

/** Descriptive standard error of the estimate. */
export const standardErrorOf = (estimate: Estimate): number =>
  Math.sqrt(varianceAt(estimate, 0)) / estimate.scale;

/** r² of "no difference": how far the difference is from 0, in squared standard errors. Null without any variance. */
export function squaredStatistic({ difference }: Contrast): number | null {
  const variance = varianceAt(difference, -difference.value);
  return variance > 0 ? (difference.scale * difference.value) ** 2 / variance : null;
}

/**
 * All values that the test at critical value `c` does not exclude: the hull of the pooled and the unpooled interval,
 * which both contain the estimate. Null where one of them has no end.
 */
export function boundsOf(estimate: Estimate, c: number): Bounds | null {
  const { value, scale, pooled, unpooled } = estimate;
  const first = rootsOf(scale, pooled, c);
  const second = rootsOf(scale, unpooled, c);
  if (first === null || second === null) return null;
  return [value + Math.min(first[0], second[0]), value + Math.max(first[1], second[1])];
}

/** The x with (scale·x)² = c²·quadratic(x), one on each side of 0. */
function rootsOf(scale: number, { constant, slope, curvature }: Quadratic, c: number): Bounds | null {
  const leading = scale ** 2 - c ** 2 * curvature;
  if (!(leading > 0)) return null;
  const middle = c ** 2 * slope;
  const root = Math.sqrt(middle ** 2 + leading * c ** 2 * Math.max(0, constant));
  return [(middle - root) / leading, (middle + root) / leading];
}
