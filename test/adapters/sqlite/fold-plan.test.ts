import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { createFoldPlanner, type FoldPlan } from "../../../adapters/sqlite/fold-plan.ts";
import { createFoldWriter, forgetCounts } from "../../../adapters/sqlite/fold-writer.ts";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import type { NewEvent } from "../../../domain/events/event.ts";
import type { Storage } from "../../../domain/storage.ts";
import { HOUR } from "../../../domain/time.ts";

const folder = mkdtempSync(join(tmpdir(), "analytics-plans-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;

function opened(): { file: string; storage: Storage } {
  files += 1;
  const file = join(folder, `${files}.db`);
  const storage = openSqlite(file);
  onTestFinished(() => storage.close());
  return { file, storage };
}

const event = (event_type: string, user_id: string, properties: object): NewEvent => ({
  event_type,
  user_id,
  session_id: null,
  properties: JSON.stringify(properties),
  created_at: 0,
  occurred_at: 0,
  message_key: null,
});

/** Another process that counts the same file, one move at a time. */
function counterOf(file: string) {
  const db = new Sqlite(file);
  onTestFinished(() => void db.close());
  const planner = createFoldPlanner(db);
  const { carryOut } = createFoldWriter(db);
  return {
    plan: (): FoldPlan => planner.plan(1_000) ?? expect.unreachable("all has been counted"),
    carryOut,
  };
}

const breakdown = { event_types: [], measure: "count", edges: [0, HOUR], where: [], limit: 10 } as const;
const users = { ...breakdown, measure: "users" } as const;

/** Whether what is kept is what the events themselves come to. */
async function expectKeptRight(storage: Storage): Promise<void> {
  const answers = [
    await storage.eventTypes({ verify: true }),
    await storage.trend(users, { verify: true }),
    await storage.trend({ ...breakdown, breakdown: "x" }, { verify: true }),
    await storage.trend({ ...breakdown, breakdown: "z" }, { verify: true }),
  ];
  for (const { value, recomputed } of answers) expect(value).toEqual(recomputed);
}

test("a process whose plan another has forestalled in other steps goes on from what the other has counted", async () => {
  const { file, storage } = opened();
  const [early, late] = [counterOf(file), counterOf(file)];
  await storage.appendEvents([event("a", "ann", { x: "1" }), event("b", "bob", { y: "1" })]);
  const first = early.plan();
  await storage.appendEvents([event("a", "cem", { z: "2", x: "2" }), event("b", "dan", { y: "2" })]);
  const forestalled = late.plan();
  early.carryOut(first);
  late.carryOut(forestalled);
  early.carryOut(early.plan());
  await storage.appendEvents([event("a", "ann", { z: "3", x: "1" })]);
  late.carryOut(late.plan());
  await expectKeptRight(storage);
});

function byHand(file: string, act: (db: Database) => void): void {
  const db = new Sqlite(file);
  act(db);
  db.close();
}

test("events that are deleted and counted anew beside a running server leave it nothing wrong to go on from", async () => {
  const { file, storage } = opened();
  await storage.appendEvents([
    event("a", "ann", { x: "1" }),
    event("b", "bob", { y: "1" }),
    event("a", "cem", { z: "2" }),
  ]);
  await expectKeptRight(storage);
  byHand(file, (db) => {
    db.exec("delete from events where user_id = 'ann'");
    forgetCounts(db);
  });
  const other = counterOf(file);
  other.carryOut(other.plan());
  await storage.appendEvents([event("a", "cem", { z: "2", x: "3" })]);
  await expectKeptRight(storage);
});

test("wide events are counted fewer at a time, so that nobody waits long for what is written of them", async () => {
  const { file, storage } = opened();
  const wide = Array.from({ length: 40 }, () => event("a", "ann", { x: "long ".repeat(12_000) }));
  await storage.appendEvents(wide);
  const { plan, carryOut } = counterOf(file);
  const some = plan();
  expect(some.after.through).toBeGreaterThan(1);
  expect(some.after.through).toBeLessThan(20);
  carryOut(some);
  await expectKeptRight(storage);
  expect((await storage.eventTypes()).value).toMatchObject([{ event_type: "a", count: 40 }]);
});
