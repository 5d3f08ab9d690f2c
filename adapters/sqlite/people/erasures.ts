import { setImmediate as nextTurn } from "node:timers/promises";
import type { Database } from "better-sqlite3";
import type { NewErasure } from "../../../domain/people/erasure.ts";
import type { OnRetry } from "../../../domain/storage.ts";
import type { Instant } from "../../../domain/time.ts";
import {
  aliasOf,
  createErasures,
  ERASURE_COLUMNS,
  type ErasureRow,
  type Erasures,
  type Marked,
} from "../../background/erasures.ts";
import { addLost, type LostValues } from "../../rollups/removal/removed-rows.ts";
import { reading } from "../failures.ts";
import type { Writer } from "../writer.ts";
import type { EventRemoval } from "./event-removal.ts";
import type { LeaveExperiments } from "./memberships.ts";
import { createValueRemoval } from "./value-removal.ts";

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

const ROWS_TO_MARK = 100;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the statements, prepared once, and the acts that share them.
export function openErasures(parts: ErasureParts): Erasures {
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
  const countWaiting = db.prepare<[], number>("select count(distinct receipt) from erasing").pluck();
  const selectMarked = db.prepare<[string], Marked>("select * from erasing where receipt = ?");
  const unmark = db.prepare<[string]>("delete from erasing where receipt = ?");
  const finish = db.prepare<[Instant, string]>("update erasures set erased_at = ? where receipt = ?");
  const drop = db.prepare<[string]>(
    "delete from erasures where receipt = ? and events + assignments + metric_values + links = 0",
  );
  const addEvents = db.prepare<[number, string]>("update erasures set events = events + ? where receipt = ?");
  const select = db.prepare<[string], ErasureRow>(
    `select ${ERASURE_COLUMNS} from erasures where receipt = ?`,
  );
  const selectPage = db.prepare<[number, string, number], ErasureRow>(
    `select ${ERASURE_COLUMNS} from erasures where (erased_at, receipt) < (?, ?) order by erased_at desc, receipt desc limit ?`,
  );

  /** The receipt under which the user is being erased from now on. */
  function begin({ user_id, receipt, requested_at }: NewErasure): string {
    const known = selectMark.get(user_id);
    if (known !== undefined) return known.receipt;
    const ids = idsOf(user_id);
    let assignments = 0;
    for (const [index, id] of ids.entries()) {
      assignments += leaveExperiments(id);
      unlink.run(id);
      mark.run(id, receipt, aliasOf(receipt, index));
    }
    insert.run(receipt, requested_at, assignments, ids.length - 1);
    return receipt;
  }

  async function eraseEvents(
    { user_id, receipt, alias }: Marked,
    signal: AbortSignal,
    lost: LostValues | undefined,
  ): Promise<void> {
    while (!signal.aborted) {
      await removal.detach(user_id, alias, signal);
      const done = await removal.removeAll(alias, signal, ({ events, lostValues }) => {
        addEvents.run(events, receipt);
        if (lost !== undefined) addLost(lost, lostValues);
      });
      if (done) return;
    }
  }

  async function eraseAll(receipt: string, signal: AbortSignal, isWhole: boolean): Promise<void> {
    const lost: LostValues | undefined = isWhole ? new Map() : undefined;
    const marked = selectMarked.all(receipt);
    for (const one of marked) await eraseEvents(one, signal, lost);
    let goesOn = true;
    while (goesOn && !signal.aborted) {
      goesOn = await writer.write(removeValues.rows, () => removeValues.step(receipt));
      await nextTurn();
    }
    await removal.sweepValues(signal, lost);
    if (signal.aborted) return;
    await writer.write(ROWS_TO_MARK, () => {
      for (const { alias } of marked) removal.forget(alias);
      unmark.run(receipt);
      finish.run(now(), receipt);
      drop.run(receipt);
    });
  }

  return createErasures(onRetry, {
    begin: (erasure) => writer.write(ROWS_TO_MARK, () => begin(erasure)),
    next: async () => selectNext.get(),
    waiting: async () => countWaiting.get() ?? 0,
    eraseAll: (receipt, { signal }, isWhole) => eraseAll(receipt, signal, isWhole),
    find: async (receipt) => select.get(receipt),
    page: async ({ erased_at, receipt }, limit) => reading(() => selectPage.all(erased_at, receipt, limit)),
  });
}
