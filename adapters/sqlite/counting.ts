import { Failure } from "../../domain/failure.ts";
import { asFailure } from "./failures.ts";
import type { FoldPlan } from "./fold-plan.ts";
import type { FoldWriter } from "./fold-writer.ts";
import type { Writer } from "./writer.ts";

/** Keeps the rollups up to date: some thousand events at a time, and all of them before a question is answered. */
export interface Counting {
  /** So many events more are being stored. */
  grow(events: number): void;
  /** Counts all that is stored now; false where the disk does not take it, and the rollups stay behind. */
  catchUp(): Promise<boolean>;
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

  /** What cannot be counted must not keep an event from being stored: whoever asks next tries again, and is told. */
  async function countInTheBackground(): Promise<void> {
    try {
      while (uncounted >= countAt) await step();
    } catch {
      uncounted = 0;
    }
  }

  return {
    grow(events) {
      uncounted += events;
      if (uncounted >= countAt && running === undefined) void countInTheBackground();
    },

    async catchUp() {
      try {
        const newest = folder.newest();
        while (folder.through() < newest && (await step()));
        return true;
      } catch (thrown) {
        const error = asFailure(thrown, "read");
        if (error instanceof Failure && error.code === "unavailable") return false;
        throw error;
      }
    },
  };
}
