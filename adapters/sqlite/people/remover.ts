import type { Database } from "better-sqlite3";
import type { Marked } from "../../background/erasures.ts";
import { keptRows } from "../../rollups/kept-counts.ts";
import type { LostValues } from "../../rollups/removal/removed-rows.ts";
import { runNow } from "../../rollups/work.ts";
import { createKeptStore, createPutKept } from "../reports/kept-counts.ts";
import { createRollupStore, isCurrent } from "../reports/rollup-store.ts";
import type { RollupWriter } from "../reports/rollup-writer.ts";
import type { RemovalPlan } from "./removal-plans.ts";

/**
 * Removes events, and what the rollups have of them, within the transaction of the caller. The keys of their messages stay.
 * Undefined where the plan is void because something was built or removed since.
 */
export type Remove = (plan: RemovalPlan) => RemovedEvents | undefined;

export interface RemovedEvents {
  readonly events: number;
  readonly lostValues: LostValues;
}

export function createRemover(db: Database, rollups: RollupWriter): Remove {
  const remember = db.prepare<[number]>(
    `insert or ignore into removed_messages(message_id, event_id, created_at)
     select message_id, id, created_at from events where id = ? and message_id is not null`,
  );
  const remove = db.prepare<[number]>("delete from events where id = ?");
  const store = createRollupStore(db);
  const kept = createKeptStore(db);
  const putKept = createPutKept(db);
  const hidden = db.prepare<[], Marked>("select * from erasing");

  return ({ build, rows, ids, counted, needsRebuild }) => {
    const state = rollups.state();
    if (!isCurrent(state) || state.build !== build) return undefined;
    // Not part of the plan, because an erasure may have begun since, and its events do not count.
    if (counted.length > 0) putKept(runNow(keptRows(kept, store, counted, hidden.all())));
    for (const id of ids) {
      remember.run(id);
      remove.run(id);
    }
    if (needsRebuild) rollups.invalidate();
    else if (ids.length > 0) rollups.takeOut(rows);
    return { events: ids.length, lostValues: rows.lostValues };
  };
}
