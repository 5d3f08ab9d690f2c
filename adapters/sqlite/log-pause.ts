import { statSync } from "node:fs";
import type { Database } from "better-sqlite3";
import type { Pause } from "./threads.ts";

// Four times what a log is kept at that readers leave alone: see wal_autocheckpoint and journal_size_limit.
const MAX_LOG_BYTES = 256 * 1024 * 1024;

/**
 * SQLite's log begins again only when nobody reads from it. Where one report always begins before another has ended, it never
 * would: while events were stored as fast as they came, 4 GB in half a minute.
 */
export function createLogPause(db: Database, file: string, most = MAX_LOG_BYTES): Pause {
  return {
    isDue: () => (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > most,
    take() {
      try {
        db.pragma("wal_checkpoint(truncate)");
      } catch {
        // Whoever writes next meets the same trouble, and is told.
      }
    },
  };
}
