const FIRST = 500;
const LONGEST = 30_000;
const LONGEST_ASKED_FOR = 3_600_000;

/**
 * The wait before the next attempt, in milliseconds. It doubles with each failure in a row, up to a minute. Half of it is
 * random, so that clients that failed together do not return together. `Retry-After`, in seconds, is added.
 */
export function backOff(failures: number, retryAfter: string | null | undefined): number {
  const asked = Math.min(Math.max(Number(retryAfter) * 1_000 || 0, 0), LONGEST_ASKED_FOR);
  const least = Math.min(FIRST * (2 ** failures - 1), LONGEST);
  return asked + least * (1 + Math.random());
}
