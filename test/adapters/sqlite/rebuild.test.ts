import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { openSqlite, type SqliteOptions } from "../../../adapters/sqlite/storage.ts";
import type { Answered } from "../../../domain/reports/answer.ts";
import type { TrendQuestion } from "../../../domain/reports/trend.ts";
import type { RebuildProgress, Storage } from "../../../domain/storage.ts";
import { DAY } from "../../../domain/time.ts";

const folder = mkdtempSync(join(tmpdir(), "analytics-rebuild-"));
afterAll(() => rmSync(folder, { recursive: true }));

const AT = Date.parse("2026-11-20T00:00:00Z");
const EVENTS = 12_000;

let files = 0;

function byHand(file: string, act: (db: Database) => void): void {
  const db = new Sqlite(file);
  act(db);
  db.close();
}

// As the product's specification has it, with three days of events; some of their properties are no JSON.
const SPECIFIED = `
create table events (
  id integer primary key autoincrement,
  event_type text not null,
  user_id text,
  session_id text,
  properties text,
  created_at timestamptz not null default current_timestamp
);
with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < ${EVENTS})
insert into events(event_type, user_id, session_id, properties, created_at)
  select iif(i % 3 = 0, 'view', 'click'), 'user-' || (i % 700), null,
    case i % 4 when 0 then '{"plan": "pro"}' when 1 then '{"plan":"free","n":1.0}' when 2 then 'not JSON' end,
    datetime('2026-11-20', '+' || (i * 20) || ' seconds')
  from n;`;

function specifiedFile(): string {
  files += 1;
  const file = join(folder, `${files}.db`);
  byHand(file, (db) => db.exec(SPECIFIED));
  return file;
}

function opened(file: string, options?: SqliteOptions) {
  const storage = openSqlite(file, options);
  onTestFinished(() => storage.close());
  return storage;
}

const question: TrendQuestion = {
  event_types: [],
  measure: "count",
  edges: [AT, AT + DAY, AT + 2 * DAY, AT + 3 * DAY],
  where: [],
  breakdown: "plan",
  limit: 10,
};

const event = {
  event_type: "more",
  user_id: "ann",
  session_id: null,
  properties: null,
  created_at: AT,
  occurred_at: AT,
  message_key: null,
};

const answer = [
  { event_type: null, group: { kind: "none" }, total: 6_000, values: [2_160, 2_160, 1_680] },
  { event_type: null, group: { kind: "value", value: "free" }, total: 3_000, values: [1_080, 1_080, 840] },
  { event_type: null, group: { kind: "value", value: "pro" }, total: 3_000, values: [1_080, 1_080, 840] },
];

/** The answer, once the rebuild has ended. */
async function fromRollups<T>(storage: Storage, ask: () => Promise<Answered<T>>): Promise<Answered<T>> {
  await expect.poll(async () => (await storage.check()).rebuild, { timeout: 20_000 }).toBeUndefined();
  return ask();
}

test("the events of a specified table are added to the rollups by the first question", async () => {
  const storage = opened(specifiedFile());
  expect(await storage.trend(question, { verify: true })).toEqual({
    source: "rollup",
    value: answer,
    recomputed: answer,
  });
  const types = await storage.eventTypes({ verify: true });
  expect(types.recomputed).toEqual(types.value);
  expect(types.value.map(({ event_type, count }) => [event_type, count])).toEqual([
    ["click", 8_000],
    ["view", 4_000],
  ]);
});

const MANY = 60_000;

function largeFile(): string {
  const file = specifiedFile();
  byHand(file, (db) => {
    db.exec(`insert into events(event_type, user_id, created_at)
      select 'more', user_id, created_at from events, (select 1 union select 2 union select 3 union select 4)`);
  });
  return file;
}

test("two processes open a large file at once, answer from the events while it is rebuilt, and then from rollups", async () => {
  const file = largeFile();
  const said: RebuildProgress[] = [];
  const storages = [opened(file, { onProgress: (progress) => void said.push(progress) }), opened(file)];
  for (const storage of storages) {
    expect((await storage.check()).rebuild?.total).toBeGreaterThanOrEqual(MANY);
    expect(await storage.trend(question)).toMatchObject({ source: "raw" });
    // Another program's event has no time yet, and is found nevertheless.
    byHand(file, (db) =>
      db.exec("insert into events(event_type, created_at) values ('foreign', '1999-01-01 00:00:00')"),
    );
    const page = { event_types: ["foreign"], from: 0, to: AT, where: [], limit: 1 };
    const occurred_at = Date.parse("1999-01-01T00:00:00Z");
    expect(await storage.listEvents(page)).toMatchObject([{ event_type: "foreign", occurred_at }]);
    await storage.appendEvents([event]);
  }
  for (const storage of storages) {
    const { value, recomputed } = await fromRollups(storage, () => storage.trend(question, { verify: true }));
    expect(value).toEqual(recomputed);
    expect(value.reduce((sum, { total }) => sum + total, 0)).toBe(MANY + 2);
    expect((await storage.check()).rebuild).toBeUndefined();
  }
  await expect.poll(() => said.at(-1)).toEqual({ done: MANY + 4, total: MANY + 4 });
});

test("a rebuild that is interrupted continues where it was", async () => {
  const file = largeFile();
  const first = openSqlite(file);
  await first.appendEvents([event]);
  await first.close();
  const storage = opened(file);
  const { value, recomputed } = await fromRollups(storage, () => storage.trend(question, { verify: true }));
  expect(value).toEqual(recomputed);
});

test("rollups that another version wrote are not read but rebuilt", async () => {
  const file = specifiedFile();
  const first = openSqlite(file);
  await first.eventTypes();
  await first.close();
  byHand(file, (db) => db.exec("update event_rollup set format = 99; update event_types set count = 7"));
  const types = await opened(file).eventTypes({ verify: true });
  expect(types).toEqual({ source: "rollup", value: types.recomputed, recomputed: types.recomputed });
});

test("an event that another program inserts counts at the time at which it was created", async () => {
  const file = specifiedFile();
  const storage = opened(file);
  await storage.trend(question);
  byHand(file, (db) => {
    db.exec(
      `insert into events(event_type, user_id, created_at) values ('click', 'user-1', '2026-11-21 10:00:00');
       insert into events(event_type, created_at) values ('never', 'some time')`,
    );
  });
  const clicks = { ...question, event_types: ["click"], breakdown: undefined };
  const value = [{ event_type: "click", total: 8_001, values: [2_880, 2_881, 2_240] }];
  expect(await storage.trend(clicks, { verify: true })).toEqual({
    source: "rollup",
    value,
    recomputed: value,
  });
  const never = (await storage.eventTypes()).value.at(-1);
  expect(never).toMatchObject({ event_type: "never", count: 1, properties: [] });
  expect(Date.now() - (never?.first_seen ?? 0)).toBeLessThan(60_000);
});

test("one created while the server runs is in the list too", async () => {
  const file = specifiedFile();
  const storage = opened(file);
  byHand(file, (db) => {
    db.exec("insert into events(event_type, created_at) values ('late', '2026-12-01T00:00:00Z')");
  });
  const [newest] = await storage.listEvents({
    event_types: [],
    from: AT,
    to: AT + 30 * DAY,
    where: [],
    limit: 1,
  });
  expect(newest).toEqual({
    id: EVENTS + 1,
    event_type: "late",
    user_id: null,
    session_id: null,
    properties: null,
    client_timestamp: null,
    created_at: Date.parse("2026-12-01T00:00:00Z"),
    occurred_at: Date.parse("2026-12-01T00:00:00Z"),
  });
});

// Values other than text and times that a program may have put into the specified columns.
const ODD_ROWS = `
insert into events(event_type, user_id, session_id, properties, created_at) values
  ('odd', x'616e6e', x'73', x'7b22706c616e223a2270726f227d', '2026-11-21 10:00:00'),
  (x'6f6464', 'ann', 's', '{"plan":1e999}', '2026-11-21T10:00:00Z'),
  ('odd', x'616e6e', 's', '{"plan":-1e999}', 1795255200),
  ('odd', 'ann', 's', '{"plan":"free"}', 1795255200.0007),
  ('odd', null, null, '{"\\ud800":1,"\\ud801":1}', 1795255200000.6)`;

const NO_TIMES = ["'some time'", "''", "x'00'", "9e999", "-1e300", "1763719200123456789", "'99999-01-01'"];

async function expectOddBuilt(storage: Storage): Promise<void> {
  const odd = { ...question, event_types: ["odd"] };
  const groups = [
    { group: { kind: "none" }, total: 3 },
    { group: { kind: "value", value: "free" }, total: 1 },
    { group: { kind: "value", value: "pro" }, total: 1 },
  ].map(({ group, total }) => ({ event_type: "odd", group, total, values: [0, total, 0] }));
  expect(await storage.trend(odd, { verify: true })).toEqual({
    source: "rollup",
    value: groups,
    recomputed: groups,
  });
  for (const measure of ["users", "sessions"] as const) {
    const { value } = await storage.trend({ ...odd, measure, breakdown: undefined });
    expect(value).toEqual([{ event_type: "odd", total: 1, values: [0, 1, 0] }]);
  }
  const types = await storage.eventTypes({ verify: true });
  expect(types.value).toEqual(types.recomputed);
  const timeless = { ...question, event_types: ["timeless"], breakdown: undefined };
  const arrived = await storage.trend({ ...timeless, edges: [Date.now() - DAY, Date.now() + DAY] });
  expect(arrived.value).toEqual([
    { event_type: "timeless", total: NO_TIMES.length, values: [NO_TIMES.length] },
  ]);
  const listed = await storage.listEvents({ ...timeless, from: 0, to: Date.now() + DAY, limit: 100 });
  for (const { created_at, occurred_at } of listed) expect(created_at).toBe(occurred_at);
  expect(listed.length).toBe(NO_TIMES.length);
}

function insertOdd(db: Database): void {
  db.exec(ODD_ROWS);
  for (const time of NO_TIMES) {
    db.exec(`insert into events(event_type, created_at) values ('timeless', ${time})`);
  }
}

test("a table with bytes, infinite numbers and invalid times is upgraded, and its events are in the rollups", async () => {
  const file = specifiedFile();
  byHand(file, insertOdd);
  await expectOddBuilt(opened(file));
});

test("such rows of another program are added to the rollups while the server runs", async () => {
  const file = specifiedFile();
  const storage = opened(file);
  byHand(file, insertOdd);
  await expectOddBuilt(storage);
  await expectOddBuilt(opened(file));
});
