import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import Sqlite from "better-sqlite3";
import { afterAll, expect, inject, test } from "vitest";
import { openSqlite, type SqliteOptions } from "../../../adapters/sqlite/storage.ts";
import { DAY } from "../../../domain/time.ts";
import { expiryContract, type Reopen } from "../expiry-contract.ts";
import { keptCountsContract } from "../kept-counts-contract.ts";
import { AT, eventAt } from "../question-stories/asked.ts";

const folder = mkdtempSync(join(tmpdir(), "analytics-expiry-"));
afterAll(() => rmSync(folder, { recursive: true }));

const threadScript = pathToFileURL(join(inject("project"), "dist/sqlite-thread.mjs"));

let files = 0;
const newFile = (): string => {
  files += 1;
  return join(folder, `${files}.db`);
};

const placeOf = (own: SqliteOptions) => async (): Promise<Reopen> => {
  const file = newFile();
  return async (options) => openSqlite(file, { ...own, ...options });
};
expiryContract("SQLite", placeOf({}));
keptCountsContract("SQLite", placeOf({}));
expiryContract("SQLite on threads", placeOf({ threadScript }), { runs: 5 });
keptCountsContract("SQLite on threads", placeOf({ threadScript }), { runs: 5 });

const filled = async (file: string): Promise<void> => {
  const storage = openSqlite(file);
  for (let batch = 0; batch < 10; batch += 1) {
    const properties = JSON.stringify({ text: "long ".repeat(100) });
    await storage.appendEvents(
      Array.from({ length: 500 }, (_, n) => eventAt(n, "view", { user_id: `user ${n}`, properties })),
    );
  }
  await storage.close();
};

const expired = async (file: string): Promise<void> => {
  const storage = openSqlite(file, { keeping: { days: 1, byType: {} }, now: () => AT + 9 * DAY });
  await expect.poll(async () => (await storage.check()).expiry?.pending).toBe(false);
  await storage.close();
};

test("the space of expired events is given back, and no user id is left of users without events", async () => {
  const file = newFile();
  await filled(file);
  const before = statSync(file).size;
  await expired(file);
  expect(statSync(file).size).toBeLessThan(before / 3);
  const db = new Sqlite(file, { readonly: true });
  expect(db.prepare("select count(*) as users from event_users").get()).toEqual({ users: 0 });
  db.close();
});

test("the space is given back some pages at a time, so that no write waits for all of it", async () => {
  const file = newFile();
  await filled(file);
  const storage = openSqlite(file, { keeping: { days: 1, byType: {} }, now: () => AT + 9 * DAY });
  const db = new Sqlite(file, { readonly: true });
  const sizes: number[] = [];
  // The expiry runs on the same thread: between two of its steps there is a turn of the event loop.
  while ((await storage.check()).expiry?.pending !== false) {
    sizes.push(Number(db.pragma("page_count", { simple: true })));
    await nextTurn();
  }
  db.close();
  await storage.close();
  const steps = sizes.slice(1).map((size, index) => (sizes[index] ?? size) - size);
  const [PAGES_A_STEP, PAGES_OF_THE_MAP] = [64, 2];
  expect(Math.max(...steps)).toBeLessThanOrEqual(PAGES_A_STEP + PAGES_OF_THE_MAP);
  expect(steps.filter((pages) => pages > 0).length).toBeGreaterThan(5);
});

test("a file that was made without automatic vacuum keeps its size, and uses the space again", async () => {
  const file = newFile();
  const db = new Sqlite(file);
  db.exec("create table foreigner(id integer)");
  db.close();
  await filled(file);
  const before = statSync(file).size;
  await expired(file);
  await filled(file);
  expect(statSync(file).size).toBeLessThan(before * 1.2);
});
