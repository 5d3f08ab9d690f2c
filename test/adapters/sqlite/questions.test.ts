import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, expect, test } from "vitest";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import type { TrendQuestion } from "../../../domain/reports/trend.ts";
import { HOUR } from "../../../domain/time.ts";
import { foreignRows } from "../foreign-rows.ts";
import { questionContract } from "../question-contract.ts";

const folder = mkdtempSync(join(tmpdir(), "analytics-questions-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const newFile = (): string => {
  files += 1;
  return join(folder, `${files}.db`);
};

questionContract("SQLite in memory", async () => openSqlite(":memory:"), { large: false });
questionContract("SQLite in a file", async () => openSqlite(newFile()), { runs: 10 });

foreignRows("SQLite", async (onRetry) => {
  const file = newFile();
  const storage = openSqlite(file, { onRetry });
  const execute = async (sql: string): Promise<void> => {
    const db = new Sqlite(file);
    db.exec(sql);
    db.close();
  };
  return { storage, execute };
});

const event = (user_id: string) => ({
  event_type: "click",
  user_id,
  session_id: null,
  properties: null,
  created_at: 0,
  occurred_at: 0,
  message_key: null,
});

const users: TrendQuestion = { event_types: [], measure: "users", edges: [0, HOUR], where: [], limit: 10 };
const count: TrendQuestion = { ...users, measure: "count" };
const one = (total: number) => [{ event_type: null, total, values: [total] }];

test("answers go on where they were when the file is opened again", async () => {
  const file = newFile();
  const first = openSqlite(file);
  await first.appendEvents([event("ann"), event("bob")]);
  await first.close();
  const second = openSqlite(file);
  await second.appendEvents([event("bob"), event("cem")]);
  expect((await second.trend(users)).value).toEqual(one(3));
  expect((await second.trend(count)).value).toEqual(one(4));
  await second.close();
});

test("each of two processes that write to one file answers with what both have stored", async () => {
  const file = newFile();
  const [one_, other] = [openSqlite(file), openSqlite(file)];
  for (const user of ["ann", "bob", "cem"]) {
    await Promise.all([one_, other].map((storage) => storage.appendEvents([event(user), event("dan")])));
  }
  await other.appendEvents([event("eve")]);
  for (const storage of [one_, other]) {
    expect((await storage.trend(users)).value).toEqual(one(5));
    expect((await storage.trend(count)).value).toEqual(one(13));
    expect((await storage.eventTypes()).value).toMatchObject([{ event_type: "click", count: 13 }]);
    await storage.close();
  }
});
