import { centredProducts, centredSquares, type ExactSum } from "./exact-sum.ts";

/** One arm in one weight period: its users, their mean observation, and Σ(y−mean)² in the unit squared. */
export interface ArmCell {
  readonly users: number;
  readonly mean: number;
  readonly spread: number;
}

/** A control and a variant cell of the same weight period. */
export interface CellPair {
  readonly control: ArmCell;
  readonly variant: ArmCell;
}

/** Cell of a mean or count over `users` ≥ 1 from Σy and Σy²; users without a value count as 0. */
export const sumCell = (users: number, y: ExactSum, yy: ExactSum): ArmCell => ({
  users,
  mean: y.high / users,
  spread: centredSquares(users, yy, y),
});

/**
 * Cell of a conversion. The spread n·p̃(1−p̃) with p̃ = (c+½)/(n+1) is above 0 for 0 of n and n of n too, for example
 * 0.4995 for 0 of 1,000: an arm without a single conversion still has a variance.
 */
export function conversionCell(users: number, converted: number): ArmCell {
  const shrunk = (converted + 0.5) / (users + 1);
  return { users, mean: converted / users, spread: users * shrunk * (1 - shrunk) };
}

/** Per-user means and centred sums of a numerator y and a denominator d. */
export interface RatioMoments {
  readonly users: number;
  readonly mean_y: number;
  readonly mean_d: number;
  readonly yy: number;
  readonly yd: number;
  readonly dd: number;
}

// Of larger ratios the squares that a comparison takes would overflow. Their denominators are as good as 0.
const BEYOND_RATIOS = 1e60;

/**
 * Cell of a ratio Σy/Σd by the delta method: spread (S_yy − 2m·S_yd + m²·S_dd)/d̄². Undefined where the denominators
 * sum to 0, or almost. Source: Deng, Knoblich and Lu (2018), KDD.
 */
export function ratioCell({ users, mean_y, mean_d, yy, yd, dd }: RatioMoments): ArmCell | undefined {
  const mean = mean_y / mean_d;
  const spread = Math.max(0, yy - 2 * mean * yd + mean ** 2 * dd) / mean_d ** 2;
  const known = Math.abs(mean) < BEYOND_RATIOS && spread < BEYOND_RATIOS ** 2;
  return known ? { users, mean, spread } : undefined;
}

interface RatioSums {
  readonly y: ExactSum;
  readonly yy: ExactSum;
  readonly d: ExactSum;
  readonly dd: ExactSum;
  readonly yd: ExactSum;
}

export const ratioMoments = (users: number, { y, yy, d, dd, yd }: RatioSums): RatioMoments => ({
  users,
  mean_y: y.high / users,
  mean_d: d.high / users,
  yy: centredSquares(users, yy, y),
  yd: centredProducts(users, yd, y, d),
  dd: centredSquares(users, dd, d),
});
