import type { Database } from "better-sqlite3";
import { isBusy } from "./failures.ts";

/** Finds out whether the database takes writes, for the health check. */
export interface WriteProbe {
  /** Throws what a write would fail with. A success is remembered for five seconds. */
  check(): void;
  /** A write has failed: the next check tries again. */
  doubt(): void;
}

const TRUSTED_FOR_MS = 5_000;
// A commit of the probe takes one page of the log. After a failed write some pages may still fit in, while an event
// needs about five.
const COMMITS_IN_DOUBT = 8;

export function createWriteProbe(db: Database): WriteProbe {
  const begin = db.prepare("begin immediate");
  const commit = db.prepare("commit");
  const rollback = db.prepare("rollback");
  const version = db.pragma("user_version", { simple: true });
  let trustedUntil = 0;
  let commits = 1;

  /** Writes a page and changes nothing: the number that it sets is the one there is. */
  function write(): void {
    begin.run();
    try {
      db.pragma(`user_version = ${version}`);
      commit.run();
    } catch (error) {
      if (db.inTransaction) rollback.run();
      throw error;
    }
  }

  return {
    check() {
      if (Date.now() < trustedUntil) return;
      try {
        for (let done = 0; done < commits; done += 1) write();
      } catch (error) {
        // Another process is writing, so writing is possible.
        if (!isBusy(error)) throw error;
      }
      commits = 1;
      trustedUntil = Date.now() + TRUSTED_FOR_MS;
    },
    doubt() {
      commits = COMMITS_IN_DOUBT;
      trustedUntil = 0;
    },
  };
}
