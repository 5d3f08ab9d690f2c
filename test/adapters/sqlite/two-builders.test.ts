import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { createRemovalPlans } from "../../../adapters/sqlite/people/removal-plans.ts";
import { createRemover } from "../../../adapters/sqlite/people/remover.ts";
import { createPlanner } from "../../../adapters/sqlite/reports/rollup-build.ts";
import { type BuildPlan, createRollupWriter } from "../../../adapters/sqlite/reports/rollup-writer.ts";
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

/** Another process that builds the rollups of the same file, one move at a time. */
function builderOf(file: string) {
  const db = new Sqlite(file);
  onTestFinished(() => void db.close());
  const plan = createPlanner(db);
  const { carryOut } = createRollupWriter(db);
  return {
    plan: (): BuildPlan => plan(1_000) ?? expect.unreachable("the rollups contain every event"),
    carryOut,
  };
}

const breakdown = { event_types: [], measure: "count", edges: [0, HOUR], where: [], limit: 10 } as const;
const users = { ...breakdown, measure: "users" } as const;

/** Expects the rollups to answer as the events themselves do. */
async function expectRollupsRight(storage: Storage): Promise<void> {
  const answers = [
    await storage.eventTypes({ verify: true }),
    await storage.trend(users, { verify: true }),
    await storage.trend({ ...breakdown, breakdown: "x" }, { verify: true }),
    await storage.trend({ ...breakdown, breakdown: "z" }, { verify: true }),
  ];
  for (const { value, recomputed } of answers) expect(value).toEqual(recomputed);
}

test("a builder whose plan was void continues from what another process has built", async () => {
  const { file, storage } = opened();
  const [early, late] = [builderOf(file), builderOf(file)];
  await storage.appendEvents([event("a", "ann", { x: "1" }), event("b", "bob", { y: "1" })]);
  const first = early.plan();
  await storage.appendEvents([event("a", "cem", { z: "2", x: "2" }), event("b", "dan", { y: "2" })]);
  const void_ = late.plan();
  early.carryOut(first);
  late.carryOut(void_);
  early.carryOut(early.plan());
  await storage.appendEvents([event("a", "ann", { z: "3", x: "1" })]);
  late.carryOut(late.plan());
  await expectRollupsRight(storage);
});

function byHand(file: string, act: (db: Database) => void): void {
  const db = new Sqlite(file);
  act(db);
  db.close();
}

test("a server that runs during a rebuild by another process forgets what it remembers of the old rollups", async () => {
  const { file, storage } = opened();
  await storage.appendEvents([
    event("a", "ann", { x: "1" }),
    event("b", "bob", { y: "1" }),
    event("a", "cem", { z: "2" }),
  ]);
  await expectRollupsRight(storage);
  byHand(file, (db) => {
    db.exec("delete from events where user_id = 'ann'");
    const rollups = createRollupWriter(db);
    rollups.invalidate();
    while (rollups.clear());
  });
  const other = builderOf(file);
  other.carryOut(other.plan());
  await storage.appendEvents([event("a", "cem", { z: "2", x: "3" })]);
  await expectRollupsRight(storage);
});

test("events of many properties are built a few at a time, and others by the hundred", async () => {
  const { file, storage } = opened();
  const many = (n: number) =>
    Object.fromEntries(Array.from({ length: 255 }, (_, property) => [`${n}-${property}`, "0"]));
  const usual = Array.from({ length: 500 }, (_, n) => event("a", "ann", { x: String(n % 9), y: "1" }));
  const wide = Array.from({ length: 100 }, (_, n) => event("b", "ann", many(n)));
  await storage.appendEvents([...usual, ...wide]);
  const { plan, carryOut } = builderOf(file);
  const first = plan();
  expect(first.through).toBeGreaterThan(500);
  expect(first.through).toBeLessThan(550);
  carryOut(first);
  await expectRollupsRight(storage);
});

test("wide events are built a few at a time, which bounds the transaction that writes their rows", async () => {
  const { file, storage } = opened();
  const wide = Array.from({ length: 40 }, () => event("a", "ann", { x: "long ".repeat(12_000) }));
  await storage.appendEvents(wide);
  const { plan, carryOut } = builderOf(file);
  const some = plan();
  expect(some.through).toBeGreaterThan(1);
  expect(some.through).toBeLessThan(20);
  carryOut(some);
  await expectRollupsRight(storage);
  expect((await storage.eventTypes()).value).toMatchObject([{ event_type: "a", count: 40 }]);
});

test("a removal whose plan was void removes nothing, and one with a plan of now removes the events", async () => {
  const { file, storage } = opened();
  await storage.appendEvents([event("a", "ann", { x: "1" }), event("b", "bob", { y: "1" })]);
  const other = builderOf(file);
  other.carryOut(other.plan());
  const db = new Sqlite(file);
  onTestFinished(() => void db.close());
  const plans = createRemovalPlans(db);
  const remove = createRemover(db, createRollupWriter(db));
  const planned = () => plans.ofUser("ann", plans.hoursOf("ann")) ?? expect.unreachable("they have events");
  const void_ = planned();
  await storage.appendEvents([event("a", "ann", { x: "2" })]);
  other.carryOut(other.plan());
  expect(remove(void_)).toBeUndefined();
  expect((await storage.eventTypes()).value).toMatchObject([{ count: 2 }, { count: 1 }]);
  expect(remove(planned())).toMatchObject({ events: 2 });
  expect((await storage.eventTypes()).value).toMatchObject([{ event_type: "b", count: 1 }]);
  await expectRollupsRight(storage);
});
