import { type Alternative, type Effect, type Interval, intervalAround } from "./effect.ts";

/**
 * Asymptotic confidence sequence with a normal mixture: figures that stay valid however often they are looked at.
 * Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), Annals of Statistics 52(6), arXiv 2103.06476.
 */
export interface SequentialTest {
  readonly p_value: number;
  /** ln of the p-value, for the many orders of magnitude below the smallest double. */
  readonly log_p: number;
  readonly interval: Interval;
}

/** Where the sequence is narrowest relative to a fixed-horizon interval: at about `tuningUsers` users in both arms. */
export interface SequentialDesign {
  readonly alpha: number;
  readonly tuningUsers: number;
  readonly alternative?: Alternative;
}

/** N* when an experiment names no number of planned users. */
export const defaultTuningUsers = 1_000;

/** Mixture parameter ρ = √((−2 ln α + ln(1 − 2 ln α))/N*) for a two-sided sequence. */
export function mixtureParameter(alpha: number, tuningUsers: number): number {
  return Math.sqrt((-2 * Math.log(alpha) + Math.log(1 - 2 * Math.log(alpha))) / tuningUsers);
}

/**
 * Half-width of the sequence in standard errors, at `users` in both arms together:
 * √(2(Nρ²+1)/(Nρ²) · ln(√(Nρ²+1)/α)). One-sided: ρ at 2α and ln(1 + √(Nρ²+1)/(2α)).
 */
export function sequentialCriticalValue(users: number, design: SequentialDesign): number {
  const spread = users * designParameter(design) ** 2;
  const root = Math.sqrt(spread + 1);
  const crossing = isOneSided(design) ? Math.log1p(root / (2 * design.alpha)) : Math.log(root / design.alpha);
  return Math.sqrt(((2 * (spread + 1)) / spread) * crossing);
}

/**
 * Always-valid p-value and interval of an effect measured on `users` users in both arms together (at least one).
 * Two-sided p = min(1, √(Nρ²+1)·exp(−ρ²N·t²/(2(Nρ²+1)))), taken in logarithms; the one-sided p inverts its bound.
 */
export function sequentialTest(effect: Effect, users: number, design: SequentialDesign): SequentialTest {
  const criticalValue = sequentialCriticalValue(users, design);
  const log_p = logPValue(effect.estimate / effect.standard_error, users, design);
  return {
    p_value: Math.exp(log_p),
    log_p,
    interval: intervalAround(effect, criticalValue, design.alternative ?? "two_sided"),
  };
}

/**
 * The p-value to report after another look: it never rises again. Valid only for always-valid p-values.
 */
export function runningMinimum(previous: number | null, current: number): number {
  return previous === null ? current : Math.min(previous, current);
}

/**
 * The interval to report after another look: what both allow. Where they do not meet the effect has drifted, and the
 * earlier one is kept, so that a difference once established stays, as the running minimum of p does.
 */
export function runningIntersection(previous: Interval | null, current: Interval): Interval {
  if (previous === null) return current;
  const lower = Math.max(previous[0], current[0]);
  const upper = Math.min(previous[1], current[1]);
  return lower <= upper ? [lower, upper] : previous;
}

function logPValue(t: number, users: number, design: SequentialDesign): number {
  const spread = users * designParameter(design) ** 2;
  const logRoot = Math.log1p(spread) / 2;
  const evidence = ((t * t) / 2) * (spread / (spread + 1));
  if (!isOneSided(design)) return Math.min(0, logRoot - evidence);
  const inFavour = design.alternative === "greater" ? t > 0 : t < 0;
  // ln(√(Nρ²+1)/(2(eˣ − 1))), with eˣ − 1 written so that a large x does not overflow.
  return inFavour ? Math.min(0, logRoot - Math.LN2 - evidence - Math.log(-Math.expm1(-evidence))) : 0;
}

function designParameter(design: SequentialDesign): number {
  return mixtureParameter(isOneSided(design) ? 2 * design.alpha : design.alpha, design.tuningUsers);
}

function isOneSided(design: SequentialDesign): boolean {
  return design.alternative === "greater" || design.alternative === "less";
}
