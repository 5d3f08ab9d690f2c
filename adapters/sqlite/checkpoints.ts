import Sqlite, { type Database } from "better-sqlite3";

/** Copies the log into the database file on a thread, so that no write waits for it. */
export interface Checkpoints {
  /** Begins one where enough is in the log. Call it after each transaction. */
  afterCommit(): void;
}

interface LogPages {
  readonly log: number;
  readonly checkpointed: number;
}

// 16 MiB. Fewer are soon copied; with more of them, pages that change again and again are copied less often.
const PAGES = 4_000;
const CHECK_EVERY_MS = 50;

export function createCheckpoints(db: Database, run: () => Promise<unknown>): Checkpoints {
  const select = db.prepare<[], LogPages>("pragma wal_checkpoint(noop)");
  let checkedAt = 0;
  let isRunning = false;

  function isDue(): boolean {
    if (isRunning || performance.now() - checkedAt < CHECK_EVERY_MS) return false;
    checkedAt = performance.now();
    try {
      const { log = 0, checkpointed = 0 } = select.get() ?? {};
      return log - checkpointed >= PAGES;
    } catch {
      // The commit itself succeeded. The next write meets the same error, and reports it.
      return false;
    }
  }

  return {
    afterCommit() {
      if (!isDue()) return;
      isRunning = true;
      // Where it fails, the log grows until a write makes the checkpoint itself, or reports what is wrong with the disk.
      run()
        .catch(() => {})
        .finally(() => {
          isRunning = false;
        });
    },
  };
}

// SQLite begins the log again only after all of it is copied. The next, shorter pass copies the writes of the last one.
const MOST_PASSES = 4;

/** Copies the log of a file, on a connection of its own. It waits for no reader or writer, and none waits for it. */
export function createCheckpoint(file: string): () => void {
  let db: Database | undefined;
  return () => {
    db ??= new Sqlite(file, { fileMustExist: true, timeout: 0 });
    const pass = db.prepare<[], LogPages>("pragma wal_checkpoint(passive)");
    for (let passes = 0; passes < MOST_PASSES; passes += 1) {
      const { log = 0, checkpointed = 0 } = pass.get() ?? {};
      if (checkpointed >= log) return;
    }
  };
}
