import type { Bounds } from "../parts/format.ts";

/** The range of values that a plot shows, with its ticks. It always includes zero. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

/** An estimate with its interval; null where there is none. */
export interface Spread {
  readonly estimate: number | null;
  readonly interval: Bounds | null;
}

const MOST_TICKS = 5;
const MARGIN = 0.08;
// Below this no double is small enough for a step between ticks.
const NO_SPAN = 1e-300;

const multiplesWithin = (step: number, low: number, high: number): number[] => {
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, index) => (first + index) * step);
};

/**
 * At most five ticks, by the smallest of 1, 2, 5, 10, … times a power of ten. There are always two: six at one step
 * span five of it, which is two of the next.
 */
function ticksOf(low: number, high: number): number[] {
  const power = 10 ** Math.floor(Math.log10((high - low) / MOST_TICKS));
  const candidates = [1, 2, 5, 10].map((factor) => multiplesWithin(factor * power, low, high));
  return candidates.find((ticks) => ticks.length <= MOST_TICKS) ?? [];
}

/** Holds all estimates and finite ends, and zero, with a margin. */
export function scaleFor(spreads: readonly Spread[]): Scale {
  const values = spreads.flatMap(({ estimate, interval }) => [estimate, ...(interval ?? [])]);
  const finite = [0, ...values.filter((value) => value !== null)];
  const least = Math.min(...finite);
  const most = Math.max(...finite);
  const span = most - least;
  const margin = span > NO_SPAN ? MARGIN * span : 1;
  const [low, high] = [least - margin, most + margin];
  return { low, high, ticks: ticksOf(low, high) };
}

/** The position of a value, from 0 at the left end to 100 at the right end. */
export const placeOn = ({ low, high }: Scale, value: number): number =>
  Math.min(100, Math.max(0, (100 * (value - low)) / (high - low)));

/** The position of an interval. An end without limit extends beyond the plot; `opens` tells which. */
export function stretchOn(scale: Scale, [low, high]: Bounds) {
  return {
    from: low === null ? 0 : placeOn(scale, low),
    to: high === null ? 100 : placeOn(scale, high),
    opensLow: low === null,
    opensHigh: high === null,
  };
}
