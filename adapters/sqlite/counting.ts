import { Failure } from "../../domain/failure.ts";
import type { Instant } from "../../domain/time.ts";
import { asFailure } from "./failures.ts";
import type { FoldPlan } from "./fold-plan.ts";
import type { FoldWriter } from "./fold-writer.ts";
import type { Writer } from "./writer.ts";

/** Keeps the rollups up to date: some thousand events at a time, and all of them before a question is answered. */
export interface Counting {
  /** So many events more are being stored. */
  grow(events: number): void;
  /** Counts all that is stored now; false where the disk does not take it, or not by then, and the rollups stay behind. */
  catchUp(until: Instant): Promise<boolean>;
}

/** Plans the counting of the next events, at most so many; undefined where there are none. */
export type Plan = (most: number) => Promise<FoldPlan | undefined>;

// A few milliseconds of writing, between which others get to write.
const MOST_AT_ONCE = 5_000;

const rowsOf = ({ rows }: FoldPlan): number =>
  Object.values(rows).reduce((sum, some) => sum + some.length, 0);

export function createCounting(writer: Writer, folder: FoldWriter, plan: Plan, countAt: number): Counting {
  let uncounted = 0;
  let running: Promise<boolean> | undefined;
  let inBackground = false;

  /** One step; false where nothing was left to count. Who comes while it runs waits for the same one. */
  function step(): Promise<boolean> {
    running ??= countSome().finally(() => {
      running = undefined;
    });
    return running;
  }

  async function countSome(): Promise<boolean> {
    uncounted = 0;
    const planned = await plan(MOST_AT_ONCE);
    if (planned === undefined) return false;
    await writer.write(rowsOf(planned), () => folder.carryOut(planned));
    return true;
  }

  const isBehind = (): boolean => uncounted >= countAt || folder.newest() - folder.through() >= countAt;

  /**
   * Until nearly all is counted, also of a burst that is over already: else whoever asks next would wait for all of it.
   * What cannot be counted must not keep an event from being stored: whoever asks next tries again, and is told.
   */
  async function countInTheBackground(): Promise<void> {
    if (inBackground) return;
    inBackground = true;
    try {
      while (isBehind() && (await step()));
    } catch {
      uncounted = 0;
    } finally {
      inBackground = false;
    }
  }

  return {
    grow(events) {
      uncounted += events;
      if (uncounted >= countAt) void countInTheBackground();
    },

    async catchUp(until) {
      try {
        const newest = folder.newest();
        while (folder.through() < newest && Date.now() < until) if (!(await step())) return true;
        if (folder.through() >= newest) return true;
        void countInTheBackground();
        return false;
      } catch (thrown) {
        const error = asFailure(thrown, "read");
        if (error instanceof Failure && error.code === "unavailable") return false;
        throw error;
      }
    },
  };
}
