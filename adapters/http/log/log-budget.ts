import type { Instant } from "../../../domain/time.ts";
import type { LogEntry } from "./log-entry.ts";

// Enough to see what goes wrong. Without a bound, a client without a key writes 50 MB of log a second.
const LINES_A_SECOND = 50;
const SECOND = 1_000;

interface Window {
  beganAt: Instant;
  lines: number;
  /** Lines left out since the last one that was written. */
  leftOut: number;
}

/**
 * Bounds how many lines a second tell of refusals and failures. The first line after a gap says in `not_logged` how
 * many were left out. Warnings and errors are bounded apart: a flood of refusals must not hide what is wrong here.
 */
export function createLogBudget(now: () => Instant): (entry: LogEntry) => LogEntry | undefined {
  const windows = {
    warn: { beganAt: Number.NEGATIVE_INFINITY, lines: 0, leftOut: 0 },
    error: { beganAt: Number.NEGATIVE_INFINITY, lines: 0, leftOut: 0 },
  };

  function take(window: Window): boolean {
    const time = now();
    // A clock that was set back begins a new second too.
    if (Math.abs(time - window.beganAt) >= SECOND) {
      window.beganAt = time;
      window.lines = 0;
    }
    window.lines += 1;
    return window.lines <= LINES_A_SECOND;
  }

  return (entry) => {
    if (entry.level !== "warn" && entry.level !== "error") return entry;
    const window = windows[entry.level];
    if (!take(window)) {
      window.leftOut += 1;
      return undefined;
    }
    if (window.leftOut === 0) return entry;
    const not_logged = window.leftOut;
    window.leftOut = 0;
    return { ...entry, not_logged };
  };
}
