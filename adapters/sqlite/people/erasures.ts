import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Database } from "better-sqlite3";
import type { ErasedCounts, Erasure, NewErasure } from "../../../domain/people/erasure.ts";
import type { ErasureStore, OnRetry } from "../../../domain/storage.ts";
import type { Instant } from "../../../domain/time.ts";
import { reading } from "../failures.ts";
import type { Writer } from "../writer.ts";
import type { EventRemoval } from "./event-removal.ts";
import type { LeaveExperiments } from "./memberships.ts";
import { createValueRemoval } from "./value-removal.ts";

/**
 * Erases users. One small transaction takes the user out of all experiments and marks their ids: from then on no answer
 * shows anything of them. Their events and values are deleted bit by bit, also after a restart; then the mark goes.
 */
export interface Erasures extends ErasureStore {
  /** Goes on with the erasures that were not finished when the file was last closed. */
  resume(): void;
  /** Waits for erasures that are under way, at most until then: while there are any, questions read all events. */
  rest(until: Instant): Promise<void>;
  /** Ends after the current step. `resume` goes on when the file is opened again. */
  stop(): Promise<void>;
}

export interface ErasureParts {
  readonly db: Database;
  readonly writer: Writer;
  readonly removal: EventRemoval;
  readonly leaveExperiments: LeaveExperiments;
  /** All ids of the person that an id belongs to, itself included. */
  readonly idsOf: (userId: string) => readonly string[];
  readonly now: () => Instant;
  readonly onRetry: OnRetry;
}

interface Marked {
  readonly user_id: string;
  readonly receipt: string;
  readonly alias: string;
}

type ErasureRow = ErasedCounts & { readonly receipt: string; readonly erased_at: Instant };

const ROWS_TO_MARK = 100;
const RETRY_MS = 1_000;
const POLL_MS = 20;

const COUNTS = "receipt, erased_at, events, assignments, metric_values, links";

const erasureOf = ({ receipt, erased_at, ...erased }: ErasureRow): Erasure => ({
  receipt,
  erased_at,
  erased,
});

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the statements, prepared once, and the acts that share them.
export function createErasures(parts: ErasureParts): Erasures {
  const { db, writer, removal, leaveExperiments, idsOf, now, onRetry } = parts;
  const removeValues = createValueRemoval(db);
  const mark = db.prepare<[string, string, string]>(
    "insert or ignore into erasing(user_id, receipt, alias) values (?, ?, ?)",
  );
  const unlink = db.prepare<[string]>("delete from user_links where user_id = ?");
  const insert = db.prepare<[string, Instant, number, number]>(
    `insert into erasures(receipt, requested_at, events, assignments, metric_values, links, values_reached, values_end)
     values (?, ?, 0, ?, 0, ?, 0, (select coalesce(max(id), 0) from ab_metrics))`,
  );
  const selectMark = db.prepare<[string], Marked>("select * from erasing where user_id = ?");
  const selectNext = db.prepare<[], string>("select receipt from erasing limit 1").pluck();
  const selectMarked = db.prepare<[string], Marked>("select * from erasing where receipt = ?");
  const unmark = db.prepare<[string]>("delete from erasing where receipt = ?");
  const finish = db.prepare<[Instant, string]>("update erasures set erased_at = ? where receipt = ?");
  const drop = db.prepare<[string]>(
    "delete from erasures where receipt = ? and events + assignments + metric_values + links = 0",
  );
  const addEvents = db.prepare<[number, string]>("update erasures set events = events + ? where receipt = ?");
  const select = db.prepare<[string], ErasureRow>(`select ${COUNTS} from erasures where receipt = ?`);
  const selectPage = db.prepare<[number, string, number], ErasureRow>(
    `select ${COUNTS} from erasures where (erased_at, receipt) < (?, ?) order by erased_at desc, receipt desc limit ?`,
  );
  const stopping = new AbortController();
  const { signal } = stopping;
  let working: Promise<void> | undefined;

  /** The receipt under which the user is being erased from now on. */
  function begin({ user_id, receipt, requested_at }: NewErasure): string {
    const known = selectMark.get(user_id);
    if (known !== undefined) return known.receipt;
    const ids = idsOf(user_id);
    let assignments = 0;
    for (const [index, id] of ids.entries()) {
      assignments += leaveExperiments(id);
      // No name of a client's has a control character.
      unlink.run(id);
      mark.run(id, receipt, `\u0001 ${receipt} ${index}`);
    }
    insert.run(receipt, requested_at, assignments, ids.length - 1);
    return receipt;
  }

  async function eraseEvents({ user_id, receipt, alias }: Marked): Promise<void> {
    while (!signal.aborted) {
      await removal.detach(user_id, alias, signal);
      const done = await removal.removeAll(alias, signal, (events) => void addEvents.run(events, receipt));
      if (done) return;
    }
  }

  async function eraseAll(receipt: string): Promise<void> {
    const marked = selectMarked.all(receipt);
    for (const one of marked) await eraseEvents(one);
    let goesOn = true;
    while (goesOn && !signal.aborted) {
      goesOn = await writer.write(removeValues.rows, () => removeValues.step(receipt));
      await nextTurn();
    }
    await removal.sweepValues(signal);
    if (signal.aborted) return;
    await writer.write(ROWS_TO_MARK, () => {
      for (const { alias } of marked) removal.forget(alias);
      unmark.run(receipt);
      finish.run(now(), receipt);
      drop.run(receipt);
    });
  }

  async function workOn(): Promise<void> {
    while (!signal.aborted) {
      try {
        const receipt = selectNext.get();
        if (receipt === undefined) return;
        await eraseAll(receipt);
      } catch (error) {
        onRetry("erasures", error);
        // The disk is full, or another process holds the lock. Nothing is shown of these users meanwhile.
        await sleep(RETRY_MS, undefined, { signal, ref: false }).catch(() => {});
      }
    }
  }

  function work(): Promise<void> {
    working ??= workOn().finally(() => {
      working = undefined;
    });
    return working;
  }

  /** Another process may be at work on it, or this one may be stopping. */
  async function untilErased(receipt: string): Promise<Erasure | undefined> {
    while (!signal.aborted) {
      const row = select.get(receipt);
      if (row === undefined || row.erased_at !== null) return row && erasureOf(row);
      await work();
      await nextTurn();
    }
    return undefined;
  }

  return {
    async eraseUser(erasure) {
      const receipt = await writer.write(ROWS_TO_MARK, () => begin(erasure));
      return untilErased(receipt);
    },
    listErasures: ({ limit, before }) =>
      reading(() => {
        const { erased_at, receipt } = before ?? { erased_at: Number.MAX_SAFE_INTEGER, receipt: "" };
        return selectPage.all(erased_at, receipt, limit).map(erasureOf);
      }),
    resume: () => void work(),
    async rest(until) {
      while (!signal.aborted && Date.now() < until && selectNext.get() !== undefined) {
        const waiting = Math.min(POLL_MS, until - Date.now());
        await Promise.race([work(), sleep(waiting, undefined, { ref: false })]);
      }
    },
    async stop() {
      stopping.abort();
      await working;
    },
  };
}
