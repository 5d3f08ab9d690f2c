import Sqlite, { type Database } from "better-sqlite3";
import { type Verification, verifyRollups } from "../../rollups/verification/verify.ts";
import { runNow } from "../../rollups/work.ts";
import { createAssignmentSource } from "../experiments/assignment-source.ts";
import { createLinkSource } from "../people/links.ts";
import { createEventSource } from "./event-source.ts";
import { createKeptStore } from "./kept-counts.ts";
import { createRollupStore, createStateReader, isCurrent } from "./rollup-store.ts";

function verify(db: Database, onProgress: (events: number) => void): Verification | undefined {
  const state = createStateReader(db)();
  const isErasing = db.prepare("select 1 from erasing limit 1").get() !== undefined;
  if (!isCurrent(state) || isErasing) return undefined;
  const store = createRollupStore(db);
  const source = createEventSource(db, () => state.through);
  const snapshot = {
    store,
    source,
    links: createLinkSource(db),
    assignments: createAssignmentSource(db),
    kept: createKeptStore(db),
    users: state.users,
  };
  return runNow(verifyRollups(snapshot, onProgress));
}

/**
 * Compares the rollups of a file with its events, as of one moment; a server may be writing to it. Undefined while they are
 * rebuilt, or a user is being erased.
 */
export function verifyFile(file: string, onProgress: (events: number) => void): Verification | undefined {
  const db = new Sqlite(file, { readonly: true, fileMustExist: true });
  try {
    return db.transaction(() => verify(db, onProgress))();
  } finally {
    db.close();
  }
}
