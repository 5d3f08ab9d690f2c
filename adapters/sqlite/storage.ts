import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import type { Storage } from "../../domain/storage.ts";
import { pendingMigrations } from "../migrate.ts";
import { createAssignmentFinder, createAssignmentStore } from "./assignments.ts";
import { createEventStore } from "./events.ts";
import { createExperimentShelf, createExperimentStore } from "./experiments.ts";
import { reading } from "./failures.ts";
import { createMetricStore } from "./metrics.ts";
import { migrations } from "./migrations.ts";
import { createTallies } from "./tallies.ts";
import { createWriter } from "./writer.ts";

// While it opens, another process may be migrating the same file.
const OPENING_PATIENCE_MS = 10_000;

const PRAGMAS = [
  "journal_mode = wal",
  // better-sqlite3 makes WAL mean NORMAL, with which a power failure takes acknowledged rows along.
  "synchronous = full",
  "foreign_keys = on",
  // 32 MiB of log: fewer checkpoints, each a stall, for a file that grows no further than that.
  "wal_autocheckpoint = 8000",
  "journal_size_limit = 67108864",
  "cache_size = -16000",
  "temp_store = memory",
];

function migrate(db: Database): void {
  db.exec(
    "create table if not exists migrations(name text primary key, applied_at text not null) without rowid",
  );
  const names = db.prepare<[], string>("select name from migrations").pluck();
  const record = db.prepare("insert into migrations(name, applied_at) values (?, datetime('now'))");
  for (const { name } of pendingMigrations(migrations, names.all())) {
    // Asked again under the lock: several processes that start at once migrate once.
    db.transaction(() => {
      const migration = pendingMigrations(migrations, names.all()).find((pending) => pending.name === name);
      if (migration === undefined) return;
      db.exec(migration.sql);
      record.run(name);
    }).immediate();
  }
}

function openDatabase(file: string): Database {
  if (file !== ":memory:") mkdirSync(dirname(file), { recursive: true });
  const db = new Sqlite(file, { timeout: OPENING_PATIENCE_MS });
  try {
    for (const pragma of PRAGMAS) db.pragma(pragma);
    migrate(db);
    db.pragma("optimize = 0x10002");
    // From here on nobody waits for a lock with the event loop in hand: the writer tries again by itself.
    db.pragma("busy_timeout = 0");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** What an operator reads when the server refuses to start over its database. */
export class UnusableDatabase extends Error {
  override readonly name = "UnusableDatabase";

  constructor(file: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`ANALYTICS_DATABASE names ${file}, which cannot be used: ${reason}`, { cause });
  }
}

/** Opens the file, makes or upgrades what it holds, and serves the port from it. `:memory:` forgets everything. */
export function openSqlite(file: string): Storage {
  let db: Database;
  try {
    db = openDatabase(file);
  } catch (error) {
    throw new UnusableDatabase(file, error);
  }
  const tallies = createTallies(db);
  const alive = db.prepare("select 1 from sqlite_schema limit 1");
  const shelf = createExperimentShelf(db);
  const writer = createWriter(db, { save: tallies.save, forget: tallies.forget, undo: shelf.clear });
  const finder = createAssignmentFinder(db);
  const storage: Storage = {
    ...createEventStore(db, writer, shelf, finder, tallies),
    ...createExperimentStore(db, writer, shelf, tallies),
    ...createAssignmentStore(db, writer, finder, tallies),
    ...createMetricStore(db, writer, shelf, finder, tallies),
    check: () => reading(() => void alive.get()),
    close: async () => {
      await writer.drain();
      db.pragma("optimize");
      db.close();
    },
  };
  return storage;
}
