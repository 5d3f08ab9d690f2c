import { statSync } from "node:fs";
import type { Database } from "better-sqlite3";
import type { Pause } from "./threads.ts";

// Twice the size at which a write makes a checkpoint, where no thread has made one before. See storage.ts.
const MAX_LOG_BYTES = 256 * 1024 * 1024;

/**
 * Lets SQLite's log start over. It does so only while no connection reads from it, which never happens where reports
 * overlap without a gap: the log grew by 4 GB in half a minute of full load.
 */
export function createLogPause(db: Database, file: string, maxBytes = MAX_LOG_BYTES): Pause {
  return {
    isDue: () => (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > maxBytes,
    take() {
      try {
        db.pragma("wal_checkpoint(truncate)");
      } catch {
        // The next write meets the same error, and reports it.
      }
    },
  };
}
