import { type ExpiryProgress, expires, type Keeping } from "../../domain/events/expiry.ts";
import type { OnRetry } from "../../domain/storage.ts";
import type { Instant } from "../../domain/time.ts";
import { type Background, createBackground } from "./background.ts";

/** Removes events that are older than they are kept, in small transactions. */
export interface Expiry extends Pick<Background, "stop"> {
  start(): void;
  /** Undefined where everything is kept. */
  progress(): ExpiryProgress | undefined;
}

/** What an engine does for it. */
export interface ExpirySteps {
  /** Builds what is stored into the rollups, at most until then. */
  readonly catchUp: (until: Instant) => Promise<unknown>;
  /** Removes some of the events that have expired: their number, or undefined while the rollups are built again. */
  readonly remove: () => Promise<number | undefined>;
  /** Removes what belongs to no event any more. */
  readonly sweep: (signal: AbortSignal) => Promise<void>;
}

const BUILD_MS = 5_000;
// Leaves the event loop, the processor and the disk to requests between two steps: for twice as long as a step took, which
// is longer where the machine is busy, but never so long that expiry falls behind.
const LEAST_PAUSE_MS = 3;
const MOST_PAUSE_MS = 100;
const PAUSES_A_STEP = 2;

const pauseAfter = (stepMs: number): number =>
  Math.min(MOST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, PAUSES_A_STEP * stepMs));
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
    for (;;) {
      const startedAt = performance.now();
      const gone = await remove();
      if (gone === 0) break;
      removed += gone ?? 0;
      await pause(gone === undefined ? BUILD_MS : pauseAfter(performance.now() - startedAt));
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
