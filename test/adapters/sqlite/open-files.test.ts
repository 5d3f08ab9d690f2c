import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import Sqlite from "better-sqlite3";
import { afterAll, describe, expect, inject, onTestFinished, test, vi } from "vitest";
import { watchOpenFiles } from "../../../adapters/sqlite/open-files.ts";
import { openSqlite, type SqliteOptions } from "../../../adapters/sqlite/storage.ts";
import type { Storage } from "../../../domain/storage.ts";
import { refusalOf } from "../../world.ts";

const root = mkdtempSync(join(tmpdir(), "analytics-open-files-"));
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
function newFolder(): string {
  folders += 1;
  const folder = join(root, String(folders));
  mkdirSync(folder);
  return folder;
}

function opened(options: SqliteOptions = {}) {
  const folder = newFolder();
  const file = join(folder, "analytics.db");
  const storage = openSqlite(file, options);
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= storage.close();
    return closing;
  };
  onTestFinished(close);
  return { folder, file, storage: { ...storage, close } };
}

const event = {
  event_type: "click",
  user_id: null,
  session_id: null,
  properties: null,
  created_at: 0,
  occurred_at: 0,
  message_key: null,
};
const store = (storage: Storage) => storage.appendEvents([event]);
const refused = { code: "unavailable", detail: expect.stringContaining("nothing was stored") };

/** Counts on a connection of its own, as the next start of the server would. */
function countIn(file: string): number {
  const db = new Sqlite(file, { fileMustExist: true });
  try {
    return db.prepare<[], number>("select count(*) from events").pluck().get() ?? 0;
  } finally {
    db.close();
  }
}

describe.each(["", "-wal", "-shm"])("a database whose file analytics.db%s", (suffix) => {
  test.each([
    ["is deleted", (path: string) => rmSync(path)],
    ["is moved", (path: string) => renameSync(path, `${path}.old`)],
    [
      "is replaced",
      (path: string) => {
        writeFileSync(`${path}.new`, "");
        renameSync(`${path}.new`, path);
      },
    ],
  ])("%s refuses the very next write, and its health says moved", async (_name, harm) => {
    const { file, storage } = opened();
    await store(storage);
    expect(await storage.check()).toEqual({ state: "ok", erasuresWaiting: 0 });
    harm(file + suffix);
    expect(await refusalOf(store(storage))).toMatchObject(refused);
    expect(await storage.check()).toMatchObject({ state: "moved" });
  });
});

test("a moved file that is put back takes writes again, and holds nothing that was refused", async () => {
  const told: (string | undefined)[] = [];
  const { file, storage } = opened({ onFilesChange: (trouble) => void told.push(trouble) });
  await store(storage);
  renameSync(file, `${file}.old`);
  await refusalOf(store(storage));
  await refusalOf(store(storage));
  renameSync(`${file}.old`, file);
  await store(storage);
  expect(await storage.check()).toEqual({ state: "ok", erasuresWaiting: 0 });
  expect(countIn(file)).toBe(2);
  expect(told).toEqual([expect.stringMatching(/analytics\.db was deleted or moved while/), undefined]);
});

test("a moved file is given all that was acknowledged, also what was in the log only", async () => {
  const { file, storage } = opened();
  await store(storage);
  await store(storage);
  renameSync(file, `${file}.old`);
  await refusalOf(store(storage));
  await storage.close();
  expect(countIn(`${file}.old`)).toBe(2);
});

test("a log that is deleted takes nothing along that was acknowledged", async () => {
  const { file, storage } = opened();
  await store(storage);
  await store(storage);
  rmSync(`${file}-wal`);
  await storage.close();
  expect(countIn(file)).toBe(2);
});

test("the log of a database that was replaced is not replayed into the new file", async () => {
  const { folder, file, storage } = opened();
  await store(storage);
  const other = join(folder, "other.db");
  await openSqlite(other).close();
  renameSync(other, file);
  await storage.close();
  expect(countIn(file)).toBe(0);
});

test("a server without requests notices by itself within seconds", async () => {
  const told = vi.fn();
  const { file } = opened({ onFilesChange: told });
  rmSync(file);
  await vi.waitFor(() => expect(told).toHaveBeenCalledOnce(), { timeout: 20_000 });
});

test("a report is refused while another file is in the database's place", async () => {
  const threadScript = pathToFileURL(join(inject("project"), "dist/sqlite-thread.mjs"));
  const { file, storage } = opened({ threadScript });
  await store(storage);
  renameSync(file, `${file}.old`);
  writeFileSync(file, "");
  expect(await refusalOf(storage.eventTypes())).toMatchObject({
    code: "unavailable",
    detail: "The storage cannot be read now. Ask again in a moment.",
  });
});

test("a relative path stays the same file when the process changes its directory", async () => {
  const folder = newFolder();
  const storage = openSqlite(relative(process.cwd(), join(folder, "analytics.db")));
  onTestFinished(() => storage.close());
  const cwd = vi.spyOn(process, "cwd").mockReturnValue("/");
  onTestFinished(() => cwd.mockRestore());
  await store(storage);
  expect(await storage.check()).toEqual({ state: "ok", erasuresWaiting: 0 });
});

test("a symbolic link is followed, and one that is turned to another file is noticed", async () => {
  const folder = newFolder();
  const link = join(folder, "link.db");
  symlinkSync(join(folder, "real.db"), link);
  writeFileSync(join(folder, "real.db"), "");
  const storage = openSqlite(link);
  onTestFinished(() => storage.close());
  await store(storage);
  rmSync(link);
  symlinkSync(join(folder, "another.db"), link);
  expect(await refusalOf(store(storage))).toMatchObject(refused);
});

test("a log that another process has put in the place of ours is left alone", () => {
  const file = join(newFolder(), "a.db");
  const db = new Sqlite(file);
  onTestFinished(() => void db.close());
  db.exec("pragma journal_mode = wal; create table t(x); insert into t values (1)");
  const files = watchOpenFiles(db, file);
  rmSync(`${file}-wal`);
  writeFileSync(`${file}-wal`, "foreign");
  const pragma = vi.spyOn(db, "pragma");
  files.close();
  expect(() => files.check()).toThrow(/a\.db-wal was replaced/);
  expect(pragma).not.toHaveBeenCalled();
});
