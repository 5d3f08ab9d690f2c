import type { Database } from "better-sqlite3";
import type { Marked } from "../../background/erasures.ts";
import { keptRows } from "../../rollups/kept-counts.ts";
import type { Selection } from "../../rollups/removal/postings.ts";
import { type LoadEvents, planRemoval } from "../../rollups/removal/removal.ts";
import type { LostValues } from "../../rollups/removal/removed-rows.ts";
import { runNow } from "../../rollups/work.ts";
import { createKeptStore, createPutKept } from "../reports/kept-counts.ts";
import { createRemovalStore } from "../reports/rollup-store.ts";
import type { RollupWriter } from "../reports/rollup-writer.ts";

/**
 * Removes events, and what the rollups have of them, within the transaction of the caller. The keys of their messages stay,
 * and where `keepsCounts` their number.
 */
export type Remove = (selection: Selection, keepsCounts?: boolean) => RemovedEvents;

export interface RemovedEvents {
  readonly events: number;
  readonly lostValues: LostValues;
}

export function createRemover(db: Database, rollups: RollupWriter): Remove {
  const store = createRemovalStore(db);
  const select = db.prepare<[number], { id: number; event_type: string; properties: string | null }>(
    "select id, event_type, properties from events where id = ?",
  );
  const remember = db.prepare<[number]>(
    `insert or ignore into removed_messages(message_id, event_id, created_at)
     select message_id, id, created_at from events where id = ? and message_id is not null`,
  );
  const remove = db.prepare<[number]>("delete from events where id = ?");
  const kept = createKeptStore(db);
  const putKept = createPutKept(db);
  const hidden = db.prepare<[], Marked>("select * from erasing");

  const load: LoadEvents = function* (ids) {
    yield;
    return ids.flatMap((id) => select.get(id) ?? []);
  };

  return (selection, keepsCounts = false) => {
    const { rows, ids, events, needsRebuild } = runNow(planRemoval(store, load, selection));
    if (keepsCounts) putKept(runNow(keptRows(kept, store, events, hidden.all())));
    for (const id of ids) {
      remember.run(id);
      remove.run(id);
    }
    if (needsRebuild) rollups.invalidate();
    else if (ids.length > 0) rollups.takeOut(rows);
    return { events: ids.length, lostValues: rows.lostValues };
  };
}
