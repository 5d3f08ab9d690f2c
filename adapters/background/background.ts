import { setTimeout as sleep } from "node:timers/promises";
import type { OnRetry } from "../../domain/storage.ts";

/** Work that a storage does in the background, in steps, until nothing is left of it. */
export interface Background {
  /** Aborted by `stop`. */
  readonly signal: AbortSignal;
  /** Works until nothing is left, then fulfils; also when it is stopped. A call while it works joins that work. */
  work(): Promise<void>;
  /** Waits without keeping the process alive; ends at once when the work is stopped. */
  pause(milliseconds: number): Promise<void>;
  /** Ends after the current step. */
  stop(): Promise<void>;
}

/** Answers false where nothing is left. */
export type Step = (own: Pick<Background, "signal" | "pause">) => Promise<boolean>;

const RETRY_MS = 1_000;

/** A step that fails is told of and tried again: the disk may be full, the database away, or another process at work. */
export function createBackground(kind: Parameters<OnRetry>[0], onRetry: OnRetry, step: Step): Background {
  const stopping = new AbortController();
  const { signal } = stopping;
  // Work may be asked for just when the last of it is done.
  let isAsked = false;
  let working: Promise<void> | undefined;

  const pause = (milliseconds: number): Promise<void> =>
    sleep(milliseconds, undefined, { signal, ref: false }).catch(() => {});

  async function takeStep(): Promise<boolean> {
    try {
      return await step({ signal, pause });
    } catch (error) {
      if (signal.aborted) return false;
      onRetry(kind, error);
      await pause(RETRY_MS);
      return true;
    }
  }

  async function workOn(): Promise<void> {
    while (!signal.aborted) {
      isAsked = false;
      if (!(await takeStep()) && !isAsked) return;
    }
  }

  return {
    signal,
    pause,
    work() {
      isAsked = true;
      working ??= workOn().finally(() => {
        working = undefined;
      });
      return working;
    },
    async stop() {
      stopping.abort();
      await working;
    },
  };
}
