/** How p-values are spread over 0 to 1. */
export interface Uniformity {
  /** How many are in each tenth. */
  readonly tenths: number[];
  /** The largest excess of small p-values: sup over x of (share of p-values ≤ x) − x, at least 0. */
  readonly excess: number;
  /** Probability of an excess as large where p-values are uniform. */
  readonly p_value: number;
}

/**
 * Whether p-values are small too often, by the one-sided test of Kolmogorov and Smirnov with its asymptotic p-value
 * exp(−2nD²). Too many large ones are no fault: a careful test has them.
 */
export function uniformity(pValues: readonly number[]): Uniformity {
  const tenths = Array.from({ length: 10 }, () => 0);
  for (const p of pValues) {
    const tenth = Math.min(9, Math.floor(10 * p));
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  const sorted = [...pValues].sort((a, b) => a - b);
  const excess = sorted.reduce((most, p, index) => Math.max(most, (index + 1) / sorted.length - p), 0);
  return { tenths, excess, p_value: Math.exp(-2 * sorted.length * excess ** 2) };
}
