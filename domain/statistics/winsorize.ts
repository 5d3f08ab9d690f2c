/** Which values a cap is taken from. */
export interface CapRule {
  /** Share of the values at or below the cap, between 0 and 1: 0.999 caps one value in a thousand. */
  readonly percentile: number;
  /** Leave zeros out when most users have no value, or the cap itself would be 0. */
  readonly ignoreZeros: boolean;
}

/**
 * The cap for outliers: a percentile of the per-user values of *all* arms together, since a cap per arm would remove
 * part of the effect. Null without values.
 */
export function winsorizingCap(values: readonly number[], rule: CapRule): number | null {
  const counted = rule.ignoreZeros ? values.filter((value) => value !== 0) : values;
  return sampleQuantile(counted, rule.percentile);
}

/** Values above the cap become the cap; the cap is in the values' unit. */
export function winsorize(values: readonly number[], cap: number): number[] {
  return values.map((value) => Math.min(value, cap));
}

/** Sample quantile with linear interpolation, type 7 of Hyndman and Fan (1996). Null without values. */
export function sampleQuantile(values: readonly number[], probability: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * probability;
  const lower = sorted[Math.floor(position)];
  const upper = sorted[Math.ceil(position)];
  if (lower === undefined || upper === undefined) return null;
  return lower + (upper - lower) * (position - Math.floor(position));
}
