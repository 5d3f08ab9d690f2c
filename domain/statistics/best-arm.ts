import type { Belief } from "./choice.ts";
import { normalDensity, normalLowerTail } from "./distributions.ts";

/** Positive nodes and weights of the 8-point Gauss–Legendre rule. Abramowitz and Stegun, table 25.4. */
const gaussLegendre = [
  [0.1834346424956498, 0.362683783378362],
  [0.525532409916329, 0.3137066458778873],
  [0.7966664774136267, 0.2223810344533745],
  [0.9602898564975363, 0.1012285362903763],
] as const;

/** Standard deviations on each side beyond which an arm's density is below 1e-19. */
const reach = 9;

/**
 * Probability that each of several independent normal arms has the highest true value: ∫φᵢ∏Φⱼ, j ≠ i, by quadrature
 * with an error below 1e-9 and the same result every time. For "less is better" pass negated estimates.
 * Every standard error must be positive.
 */
export function probabilityToBeBest(arms: readonly Belief[]): number[] {
  const totals = arms.map(() => 0);
  const edges = panelEdges(arms);
  for (let panel = 1; panel < edges.length; panel++) {
    addPanel(totals, arms, edges[panel - 1] ?? 0, edges[panel] ?? 0);
  }
  return totals;
}

/** Edges at every whole standard deviation of every arm: each panel is smooth for the narrowest arm that it meets. */
function panelEdges(arms: readonly Belief[]): number[] {
  const edges = arms.flatMap(({ mean, deviation }) =>
    Array.from({ length: 2 * reach + 1 }, (_, step) => mean + (step - reach) * deviation),
  );
  return edges.sort((a, b) => a - b);
}

function addPanel(totals: number[], arms: readonly Belief[], lower: number, upper: number): void {
  const half = (upper - lower) / 2;
  for (const [node, weight] of gaussLegendre) {
    addPoint(totals, arms, lower + half - half * node, weight * half);
    addPoint(totals, arms, lower + half + half * node, weight * half);
  }
}

function addPoint(totals: number[], arms: readonly Belief[], x: number, weight: number): void {
  const below = arms.map(({ mean, deviation }) => normalLowerTail((x - mean) / deviation));
  arms.forEach(({ mean, deviation }, i) => {
    const density = normalDensity((x - mean) / deviation) / deviation;
    const othersBelow = below.reduce((product, tail, j) => (j === i ? product : product * tail), 1);
    totals[i] = (totals[i] ?? 0) + weight * density * othersBelow;
  });
}
