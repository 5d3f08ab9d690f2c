import { normalQuantile } from "./distributions.ts";

/**
 * The interval of a share of `all` users, of whom `some` are counted: Wilson's score interval, which stays within 0 and 1
 * and holds its level for small numbers too (E. B. Wilson, 1927; recommended by Brown, Cai and DasGupta, 2001).
 *
 * `level` is the share of experiments whose interval holds the true value, as 0.95. Null without users.
 *
 * @example shareInterval(10, 100, 0.95) // [0.0552, 0.1744]
 */
export function shareInterval(some: number, all: number, level: number): [number, number] | null {
  if (all === 0) return null;
  const z = normalQuantile(1 - (1 - level) / 2);
  const share = some / all;
  const spread = (z * z) / all;
  const middle = share + spread / 2;
  const half = Math.sqrt(spread * share * (1 - share) + (spread * spread) / 4);
  const low = some === 0 ? 0 : (middle - half) / (1 + spread);
  const high = some === all ? 1 : (middle + half) / (1 + spread);
  return [low, high];
}
