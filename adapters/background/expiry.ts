import { type ExpiryProgress, expires, type Keeping } from "../../domain/events/expiry.ts";
import type { OnRetry } from "../../domain/storage.ts";
import { HOUR, type Instant } from "../../domain/time.ts";
import { type Background, createBackground } from "./background.ts";

/** Removes events that are older than they are kept, in small transactions. */
export interface Expiry extends Pick<Background, "stop"> {
  start(): void;
  /** Undefined where everything is kept. */
  progress(): ExpiryProgress | undefined;
}

/** The work of an engine for it. */
export interface ExpirySteps {
  /** Builds what is stored into the rollups, at most until then. */
  readonly catchUp: (until: Instant) => Promise<unknown>;
  /** Removes some of the events that have expired: their number, or undefined while the rollups are built again. */
  readonly remove: () => Promise<number | undefined>;
  /** Removes what belongs to no event any more. */
  readonly sweep: (signal: AbortSignal) => Promise<void>;
}

const BUILD_MS = 5_000;
const LEAST_PAUSE_MS = 3;
const MOST_PAUSE_MS = 400;
const PAUSES_A_STEP = 10;
// A round that takes this long may be slower than events arrive.
const HURRY_AFTER_MS = 12 * HOUR;
const HURRIED_PAUSES_A_STEP = 2;

/**
 * How long to leave the event loop, the processor and the disk to requests after a step: in proportion to the step, which
 * takes longer where the machine is busy, and less in a long round, so that expiry does not fall behind for ever.
 */
export function pauseAfter(stepMs: number, roundMs: number): number {
  const pauses = roundMs < HURRY_AFTER_MS ? PAUSES_A_STEP : HURRIED_PAUSES_A_STEP;
  return Math.min(MOST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, pauses * stepMs));
}

const CHECK_EVERY_MS = 60_000;

export function createExpiry(
  keeping: Keeping,
  now: () => Instant,
  onRetry: OnRetry,
  { catchUp, remove, sweep }: ExpirySteps,
): Expiry {
  let removed = 0;
  let pending = expires(keeping);
  let last_run: Instant | null = null;

  const background = createBackground("expiry", onRetry, async ({ signal, pause }) => {
    await catchUp(Date.now() + BUILD_MS);
    const before = removed;
    const begunAt = performance.now();
    for (;;) {
      const startedAt = performance.now();
      const gone = await remove();
      if (gone === 0) break;
      removed += gone ?? 0;
      const at = performance.now();
      await pause(gone === undefined ? BUILD_MS : pauseAfter(at - startedAt, at - begunAt));
      if (signal.aborted) return false;
    }
    if (removed > before) await sweep(signal);
    pending = false;
    last_run = now();
    await pause(CHECK_EVERY_MS);
    return true;
  });

  return {
    start() {
      if (expires(keeping)) void background.work();
    },
    progress: () => (expires(keeping) ? { removed, pending, last_run } : undefined),
    stop: background.stop,
  };
}
