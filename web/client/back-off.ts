const FIRST = 500;
const LONGEST = 30_000;
const LONGEST_ASKED_FOR = 3_600_000;

/**
 * How long to wait after so many failures in a row, in milliseconds: about twice as long each time, up to a minute, and
 * half of it by chance, so that those who failed together do not come back together. `Retry-After`, in seconds, is
 * waited for before that.
 */
export function backOff(failures: number, retryAfter: string | null | undefined): number {
  const asked = Math.min(Math.max(Number(retryAfter) * 1_000 || 0, 0), LONGEST_ASKED_FOR);
  const least = Math.min(FIRST * (2 ** failures - 1), LONGEST);
  return asked + least * (1 + Math.random());
}
