import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, expect, test } from "vitest";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import { DAY } from "../../../domain/time.ts";
import { expiryContract } from "../expiry-contract.ts";
import { AT, eventAt } from "../question-stories/asked.ts";

const folder = mkdtempSync(join(tmpdir(), "analytics-expiry-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const newFile = (): string => {
  files += 1;
  return join(folder, `${files}.db`);
};

expiryContract("SQLite", async () => {
  const file = newFile();
  return async (options) => openSqlite(file, options);
});

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
