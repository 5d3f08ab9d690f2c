import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import Sqlite, { type Database } from "better-sqlite3";
import { afterAll, expect, inject, onTestFinished, test } from "vitest";
import { createCheckpoint, createCheckpoints } from "../../../adapters/sqlite/checkpoints.ts";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import { AT, eventAt } from "../question-stories/asked.ts";

const folder = mkdtempSync(join(tmpdir(), "analytics-checkpoints-"));
afterAll(() => rmSync(folder, { recursive: true }));

const threadScript = pathToFileURL(join(inject("project"), "dist/sqlite-thread.mjs"));

let files = 0;
const newFile = (): string => {
  files += 1;
  return join(folder, `${files}.db`);
};

function openedBy(file: string): Database {
  const db = new Sqlite(file);
  onTestFinished(() => void db.close());
  return db;
}

const logOf = (db: Database) =>
  db.prepare<[], { log: number; checkpointed: number }>("pragma wal_checkpoint(noop)").get() ??
  expect.unreachable("the pragma has one row");

/** A table that grows by about so many pages, without checkpoints. */
function growing(file: string): { db: Database; grow: (pages: number) => void } {
  const db = openedBy(file);
  db.exec("pragma journal_mode = wal; pragma wal_autocheckpoint = 0; create table t(x)");
  const insert = db.prepare("insert into t values (zeroblob(4000))");
  return {
    db,
    grow: db.transaction((pages: number) => {
      for (let page = 0; page < pages; page += 1) insert.run();
    }),
  };
}

test("a checkpoint begins once the log is long, and none while it runs", async () => {
  const { db, grow } = growing(newFile());
  const ends: (() => void)[] = [];
  const checkpoints = createCheckpoints(db, () => new Promise<void>((fulfil) => ends.push(fulfil)));
  grow(100);
  checkpoints.afterCommit();
  expect(ends).toHaveLength(0);
  grow(5_000);
  await expect.poll(() => checkpoints.afterCommit() ?? ends.length).toBe(1);
  grow(5_000);
  checkpoints.afterCommit();
  expect(ends).toHaveLength(1);
  ends[0]?.();
  await expect.poll(() => checkpoints.afterCommit() ?? ends.length).toBe(2);
});

test("a log that cannot be asked about is left to the writes", () => {
  const { db, grow } = growing(newFile());
  const checkpoints = createCheckpoints(db, () => expect.unreachable("nothing is known of the log"));
  grow(5_000);
  db.exec("begin immediate; insert into t values (1)");
  checkpoints.afterCommit();
  db.exec("commit");
});

test("a checkpoint that fails is begun again", async () => {
  const { db, grow } = growing(newFile());
  let begun = 0;
  const checkpoints = createCheckpoints(db, async () => {
    begun += 1;
    throw new Error("the thread is gone");
  });
  grow(5_000);
  await expect.poll(() => checkpoints.afterCommit() ?? begun).toBeGreaterThan(1);
});

test("a checkpoint copies the log while a transaction is open, and after it the log begins again", () => {
  const file = newFile();
  const { db, grow } = growing(file);
  const checkpoint = createCheckpoint(file);
  grow(500);
  db.exec("begin immediate; insert into t values (1)");
  checkpoint();
  expect(logOf(openedBy(file)).checkpointed).toBeGreaterThanOrEqual(500);
  db.exec("commit");
  checkpoint();
  grow(1);
  expect(logOf(db).log).toBeLessThan(20);
});

test("the log of a storage with threads is copied by a thread", async () => {
  const file = newFile();
  const storage = openSqlite(file, { threadScript });
  onTestFinished(() => storage.close());
  const reader = openedBy(file);
  const properties = JSON.stringify({ text: "long ".repeat(10_000) });
  const append = () =>
    storage.appendEvents(Array.from({ length: 100 }, (_, n) => eventAt(n, "view", { properties })));
  let most = 0;
  // Each batch has about 1,250 pages: the writes themselves would make a checkpoint after 32,000.
  const pending = async (): Promise<boolean> => {
    await append();
    reader.prepare("select 1 from events limit 1").get();
    const { log, checkpointed } = logOf(reader);
    most = Math.max(most, log);
    return checkpointed > 0 || log < most;
  };
  await expect.poll(pending, { timeout: 20_000 }).toBe(true);
  expect(most).toBeLessThan(32_000);
  expect((await storage.eventTypes()).value).toMatchObject([{ event_type: "view", first_seen: AT }]);
});
