import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type ErasedCounts,
  type Erasure,
  type ErasureFigures,
  type NewErasure,
  NONE_FINISHED,
  oneMore,
} from "../../domain/people/erasure.ts";
import type { ErasureStore, OnRetry } from "../../domain/storage.ts";
import type { Instant } from "../../domain/time.ts";
import { type Background, createBackground } from "./background.ts";

/**
 * Erases users. One small transaction takes the user out of all experiments and marks their ids: from then on no answer
 * shows anything of them. Their events and values are deleted bit by bit, also after a restart; then the mark goes.
 */
export interface Erasures extends ErasureStore, Pick<Background, "stop"> {
  /** Goes on with the erasures that another process, or an earlier one, has not finished. */
  resume(): void;
  /** Waits for erasures that are under way, at most until then: while there are any, questions read all events. */
  rest(until: Instant): Promise<void>;
  figures(): Promise<ErasureFigures>;
}

/** An id that is being erased. */
export interface Marked {
  readonly user_id: string;
  readonly receipt: string;
  /** Its name in the rollups meanwhile. */
  readonly alias: string;
}

/** No name of a client's has a control character. */
export const aliasOf = (receipt: string, index: number): string => `\u0001 ${receipt} ${index}`;

/** `erased_at` is null until the erasure is finished. */
export type ErasureRow = ErasedCounts & { readonly receipt: string; readonly erased_at: Instant };

/** The columns of an ErasureRow. */
export const ERASURE_COLUMNS = "receipt, erased_at, events, assignments, metric_values, links";

/** What an engine does for an erasure. Each step may run twice. */
export interface ErasureSteps {
  /** Marks the ids; answers the receipt under which they are being erased from now on. */
  readonly begin: (erasure: NewErasure) => Promise<string>;
  /** The receipt of an erasure that is not finished. */
  readonly next: () => Promise<string | undefined>;
  /** The number of erasures that are not finished. */
  readonly waiting: () => Promise<number>;
  /**
   * Deletes everything of the marked ids, then the marks. `isWhole` is false where some of it may be deleted already, by
   * another process or an attempt that failed.
   */
  readonly eraseAll: (
    receipt: string,
    own: Pick<Background, "signal" | "pause">,
    isWhole: boolean,
  ) => Promise<void>;
  readonly find: (receipt: string) => Promise<ErasureRow | undefined>;
  /** The rows that come before this place, the newest first. */
  readonly page: (before: Pick<ErasureRow, "erased_at" | "receipt">, limit: number) => Promise<ErasureRow[]>;
}

const POLL_MS = 20;
const AFTER_ALL = { erased_at: Number.MAX_SAFE_INTEGER, receipt: "" };

const erasureOf = ({ receipt, erased_at, ...erased }: ErasureRow): Erasure => ({
  receipt,
  erased_at,
  erased,
});

export function createErasures(onRetry: OnRetry, steps: ErasureSteps): Erasures {
  let finished = NONE_FINISHED;
  /** The receipts of erasures that no process is at work on yet. */
  const begun = new Set<string>();

  const { signal, work, pause, stop } = createBackground("erasures", onRetry, async (own) => {
    const receipt = await steps.next();
    if (receipt === undefined) return false;
    await steps.eraseAll(receipt, own, begun.delete(receipt));
    const row = await steps.find(receipt);
    if (row !== undefined && row.erased_at !== null) finished = oneMore(finished, row.events, row.erased_at);
    return true;
  });

  async function begin(erasure: NewErasure): Promise<string> {
    const receipt = await steps.begin(erasure);
    if (receipt === erasure.receipt) begun.add(receipt);
    return receipt;
  }

  /** Undefined where nothing was stored, and where the storage is closed before it is done. */
  async function untilErased(receipt: string): Promise<Erasure | undefined> {
    while (!signal.aborted) {
      const row = await steps.find(receipt);
      if (row === undefined || row.erased_at !== null) return row && erasureOf(row);
      await work();
      await nextTurn();
    }
    return undefined;
  }

  return {
    async eraseUser(erasure) {
      const receipt = await begin(erasure);
      return untilErased(receipt).finally(() => begun.delete(receipt));
    },
    listErasures: async ({ limit, before = AFTER_ALL }) => (await steps.page(before, limit)).map(erasureOf),
    resume: () => void work(),
    async rest(until) {
      while (!signal.aborted && Date.now() < until && (await steps.next()) !== undefined) {
        await Promise.race([work(), pause(Math.min(POLL_MS, until - Date.now()))]);
      }
    },
    figures: async () => ({ ...finished, waiting: await steps.waiting() }),
    stop,
  };
}
