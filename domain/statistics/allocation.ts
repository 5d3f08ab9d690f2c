/**
 * Shares pᵢ = f + (1 − k·f)·wᵢ of k arms that leave each at least `floor` of the users, from weights that sum to 1.
 * A floor that would need everybody gives equal shares; a negative one counts as 0.
 */
export function allocationWithFloor(weights: readonly number[], floor: number): number[] {
  const kept = Math.min(Math.max(floor, 0), 1 / weights.length);
  return weights.map((weight) => kept + (1 - weights.length * kept) * weight);
}
