import { normalCriticalValue } from "./distributions.ts";
import type { Interval } from "./effect.ts";

/** Bonferroni: every p-value times their number. Controls the family-wise error rate; Holm does so with more power. */
export function bonferroni(pValues: readonly number[]): number[] {
  return pValues.map((p) => Math.min(1, p * pValues.length));
}

/** Holm's step-down adjusted p-values, in the given order: family-wise error rate. Holm (1979). */
export function holm(pValues: readonly number[]): number[] {
  const adjusted = [...pValues];
  let highest = 0;
  ascending(pValues).forEach(({ p, index }, rank) => {
    highest = Math.max(highest, Math.min(1, p * (pValues.length - rank)));
    adjusted[index] = highest;
  });
  return adjusted;
}

/** Benjamini and Hochberg's step-up adjusted p-values, in the given order: false discovery rate. (1995), JRSS B 57. */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const adjusted = [...pValues];
  let lowest = 1;
  const ranked = ascending(pValues).map((entry, rank) => ({ ...entry, rank: rank + 1 }));
  for (const { p, index, rank } of ranked.reverse()) {
    lowest = Math.min(lowest, p * (pValues.length / rank));
    adjusted[index] = lowest;
  }
  return adjusted;
}

/**
 * The interval that a normal test with this adjusted p-value would show, at confidence 1 − `alpha`, widened to
 * `unadjusted` where it would be narrower. At p = 1, or for an estimate of 0, nothing is known: unbounded.
 */
export function adjustedInterval(
  estimate: number,
  adjustedP: number,
  alpha: number,
  unadjusted: Interval | null = null,
): Interval {
  const z = normalCriticalValue(adjustedP);
  if (!(z > 0) || estimate === 0) return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const margin = (normalCriticalValue(alpha) * Math.abs(estimate)) / z;
  const [lower, upper] = unadjusted ?? [estimate, estimate];
  return [Math.min(lower, estimate - margin), Math.max(upper, estimate + margin)];
}

/**
 * Significance levels when the primary metric keeps the share `gamma` of α and the other metrics divide the rest, each
 * over `treatments` comparisons.
 */
export function preferentialBonferroni(
  alpha: number,
  gamma: number,
  treatments: number,
  metrics: number,
): { readonly primary: number; readonly other: number } {
  const primary = (gamma * alpha) / treatments;
  return { primary, other: metrics > 1 ? ((1 - gamma) * alpha) / (treatments * (metrics - 1)) : 0 };
}

function ascending(pValues: readonly number[]): { p: number; index: number }[] {
  return pValues.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
}
