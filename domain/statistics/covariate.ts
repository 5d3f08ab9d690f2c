import type { ArmCell, CellPair } from "./arm-cell.ts";

/** A cell of a metric together with a covariate x that was fixed at assignment: its mean, Σ(x−x̄)² and Σ(x−x̄)(y−ȳ). */
export interface CovariateCell {
  readonly cell: ArmCell;
  readonly mean_x: number;
  readonly xx: number;
  readonly xy: number;
}

export interface CovariatePair {
  readonly control: CovariateCell;
  readonly variant: CovariateCell;
}

/**
 * Takes out of a metric what a covariate explains (CUPED), which narrows the interval without bias: θ = ΣS_xy/ΣS_xx,
 * means y − θ(x̄ − x̄ of the period), spreads S_yy − 2θS_xy + θ²S_xx. θ is taken within the cells: over the merged arms
 * a part of the effect would leak into it. Source: Deng, Xu, Kohavi and Walker (2013), WSDM.
 */
export function adjustForCovariate(pairs: readonly CovariatePair[]): {
  readonly theta: number;
  readonly pairs: readonly CellPair[];
} {
  const theta = thetaOf(pairs.flatMap(({ control, variant }) => [control, variant]));
  const adjusted = pairs.map((pair) => adjustedPair(pair, theta));
  if (adjusted.every(isFinitePair)) return { theta, pairs: adjusted };
  return { theta: 0, pairs: pairs.map((pair) => adjustedPair(pair, 0)) };
}

/** 0 where x does not vary: the metric stays as it is. */
function thetaOf(cells: readonly CovariateCell[]): number {
  const xx = cells.reduce((sum, cell) => sum + cell.xx, 0);
  const xy = cells.reduce((sum, cell) => sum + cell.xy, 0);
  const theta = xy / xx;
  return Number.isFinite(theta) ? theta : 0;
}

const isFinitePair = ({ control, variant }: CellPair): boolean =>
  [control, variant].every(({ mean, spread }) => Number.isFinite(mean) && Number.isFinite(spread));

function adjustedPair({ control, variant }: CovariatePair, theta: number): CellPair {
  const users = control.cell.users + variant.cell.users;
  const periodMean = (control.cell.users * control.mean_x + variant.cell.users * variant.mean_x) / users;
  const adjusted = ({ cell, mean_x, xx, xy }: CovariateCell): ArmCell => ({
    users: cell.users,
    mean: cell.mean - theta * (mean_x - periodMean),
    spread: Math.max(0, cell.spread - 2 * theta * xy + theta ** 2 * xx),
  });
  return { control: adjusted(control), variant: adjusted(variant) };
}
