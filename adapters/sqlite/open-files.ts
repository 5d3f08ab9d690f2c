import { realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { type Database, SqliteError } from "better-sqlite3";

/** Compares the files at the database's path with the files that this process has open. */
export interface OpenFiles {
  /**
   * Throws SQLITE_READONLY_DBMOVED while the database, its log or the log's index is deleted, moved or replaced. Costs
   * about six microseconds, so that each commit can afford it.
   */
  check(): void;
  /** Stops the periodic check. Call it before the database is closed. */
  close(): void;
}

const CHECK_EVERY_MS = 2_000;

const unwatched: OpenFiles = { check: () => {}, close: () => {} };

/** Device and inode of the file at a path; undefined where there is none. */
function identityOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found && `${found.dev}:${found.ino}`;
}

interface Watched {
  readonly path: string;
  readonly identity: string;
}

function watchedFiles(file: string): Watched[] {
  // Absolute, because a program that mounts the server may change its working directory. SQLite follows a symbolic link
  // and puts the log next to the file that the link leads to.
  const real = realpathSync(file);
  return [resolve(file), `${real}-wal`, `${real}-shm`].flatMap((path) => {
    const identity = identityOf(path);
    return identity === undefined ? [] : [{ path, identity }];
  });
}

function lossOf({ path, identity }: Watched): string | undefined {
  const current = identityOf(path);
  if (current === identity) return undefined;
  return current === undefined ? `${path} was deleted or moved` : `${path} was replaced`;
}

const ADVICE =
  "Nothing is stored until it is back in its place, or until the server has been restarted on the file that should be used.";

/**
 * Watches a database that is open. An operating system goes on writing to a file that was deleted or moved, so every
 * write would be acknowledged, and lost at the next start. `onChange` is told once when that begins, with advice, and
 * once when the files are back.
 */
export function watchOpenFiles(
  db: Database,
  file: string,
  onChange: (trouble: string | undefined) => void = () => {},
): OpenFiles {
  if (file === ":memory:") return unwatched;
  const watched = watchedFiles(file);
  let trouble: string | undefined;

  /**
   * Copies what the log holds into the database file that is open. A file that was moved is then complete, and a log
   * that was deleted takes nothing along. A foreign log may belong to another process: then nothing is touched.
   */
  function rescueLog(): void {
    if (!db.open || watched.slice(1).some((one) => lossOf(one)?.endsWith("replaced"))) return;
    try {
      db.pragma("wal_checkpoint(truncate)");
    } catch {
      // The log stays as it is; the operator has been told already.
    }
  }

  function notice(): string | undefined {
    const loss = watched.map(lossOf).find((found) => found !== undefined);
    if (loss === trouble) return loss;
    trouble = loss;
    // Not at once: a transaction may be open.
    if (loss !== undefined) setImmediate(rescueLog);
    onChange(loss && `${loss} while the server runs. ${ADVICE}`);
    return loss;
  }

  const timer = setInterval(notice, CHECK_EVERY_MS);
  timer.unref();
  return {
    check() {
      const loss = notice();
      if (loss !== undefined) throw new SqliteError(`${loss}. ${ADVICE}`, "SQLITE_READONLY_DBMOVED");
    },
    close() {
      clearInterval(timer);
      if (notice() !== undefined) rescueLog();
    },
  };
}
