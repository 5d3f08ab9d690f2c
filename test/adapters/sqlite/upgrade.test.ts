import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import { afterAll, expect, test, vi } from "vitest";
import { openSqlite, UnusableDatabase } from "../../../adapters/sqlite/storage.ts";
import { trackEvent } from "../../../handlers/events/track-event.ts";
import { assignVariant } from "../../../handlers/experiments/assignments/assign-variant.ts";
import { getExperiment } from "../../../handlers/experiments/get-experiment.ts";
import { getResults } from "../../../handlers/experiments/get-results.ts";
import { listExperiments } from "../../../handlers/experiments/list-experiments.ts";
import { trackMetric } from "../../../handlers/experiments/metrics/track-metric.ts";
import { call, coloursReply, NOW, openWorld } from "../../world.ts";

// The product's specification, to the letter.
const SPECIFIED = `
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_type TEXT NOT NULL,
    user_id TEXT,
    session_id TEXT,
    properties TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE ab_tests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    test_name TEXT NOT NULL UNIQUE,
    description TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE ab_variants (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    test_id INTEGER NOT NULL,
    variant_name TEXT NOT NULL,
    description TEXT,
    weight REAL NOT NULL DEFAULT 1.0,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (test_id) REFERENCES ab_tests(id) ON DELETE CASCADE
);
CREATE TABLE ab_assignments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    test_id INTEGER NOT NULL,
    variant_id INTEGER NOT NULL,
    assigned_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (test_id) REFERENCES ab_tests(id) ON DELETE CASCADE,
    FOREIGN KEY (variant_id) REFERENCES ab_variants(id) ON DELETE CASCADE,
    UNIQUE(user_id, test_id)
);
CREATE TABLE ab_metrics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    test_id INTEGER NOT NULL,
    variant_id INTEGER NOT NULL,
    metric_name TEXT NOT NULL,
    value REAL NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (test_id) REFERENCES ab_tests(id) ON DELETE CASCADE,
    FOREIGN KEY (variant_id) REFERENCES ab_variants(id) ON DELETE CASCADE
);`;

const ROWS = `
insert into events(id, event_type, user_id, session_id, properties, created_at)
  values (3, 'click', 'ann', 's1', '{"a": 1}', '2025-01-02 03:04:05');
insert into events(id, event_type, user_id, session_id, properties, created_at)
  values (9, 'open', null, null, null, '2025-01-02T03:04:06.789Z');
insert into ab_tests(id, test_name, description, created_at)
  values (1, 'homepage_button_color', 'Testing different button colors on homepage', '2026-11-22 10:00:00');
insert into ab_variants(id, test_id, variant_name, description, weight, created_at)
  values (1, 1, 'red', 'Red button', 0.5, '2026-11-22 10:00:00');
insert into ab_variants(id, test_id, variant_name, description, weight, created_at)
  values (2, 1, 'blue', 'Blue button', 0.5, '2026-11-22 10:00:00');
insert into ab_assignments(id, user_id, test_id, variant_id, assigned_at)
  values (1, 'ann', 1, 2, '2026-11-22 10:00:01');
insert into ab_assignments(id, user_id, test_id, variant_id, assigned_at)
  values (2, 'bob', 1, 1, '2026-11-22 10:00:02');
insert into ab_assignments(id, user_id, test_id, variant_id, assigned_at)
  values (3, 'cyd', 1, 2, '2026-11-22 10:00:03');
insert into ab_metrics(id, test_id, variant_id, metric_name, value, created_at)
  values (1, 1, 2, 'click', 1.0, '2026-11-22 10:00:04');
insert into ab_metrics(id, test_id, variant_id, metric_name, value, created_at)
  values (2, 1, 2, 'click', 2.5, '2026-11-22 10:00:05');
insert into ab_metrics(id, test_id, variant_id, metric_name, value, created_at)
  values (3, 1, 1, 'revenue', -4.0, '2026-11-22 10:00:06');
insert into ab_metrics(test_id, variant_id, metric_name, value) values (1, 1, 'revenue', 8);
insert into events(event_type) values ('by default');`;

const TABLES = ["events", "ab_tests", "ab_variants", "ab_assignments", "ab_metrics"];
const COLUMNS: Record<string, string> = {
  events: "id, event_type, user_id, session_id, properties, created_at",
  ab_tests: "id, test_name, description, created_at",
  ab_variants: "id, test_id, variant_name, description, weight, created_at",
  ab_assignments: "id, user_id, test_id, variant_id, assigned_at",
  ab_metrics: "id, test_id, variant_id, metric_name, value, created_at",
};

const folder = mkdtempSync(join(tmpdir(), "analytics-upgrade-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const newFile = (): string => {
  files += 1;
  return join(folder, `${files}.db`);
};

/** Does something with the file as another program would. */
function byHand<T>(file: string, act: (db: Database) => T): T {
  const db = new Sqlite(file);
  try {
    return act(db);
  } finally {
    db.close();
  }
}

function specifiedFile(more = ""): string {
  const file = newFile();
  byHand(file, (db) => {
    // As in the sqlite3 shell, where they are off.
    db.pragma("foreign_keys = off");
    db.exec(SPECIFIED + ROWS + more);
  });
  return file;
}

const specifiedRows = (file: string) =>
  byHand(file, (db) =>
    TABLES.map((table) => db.prepare(`select ${COLUMNS[table]} from ${table} order by id`).all()),
  );

const everything = (file: string) =>
  byHand(file, (db) => {
    const schema = db
      .prepare<[], { name: string; sql: string }>("select name, type, sql from sqlite_schema order by name")
      .all();
    const tables = db
      .prepare<[], string>("select name from sqlite_schema where type = 'table'")
      .pluck()
      .all();
    return { schema, rows: tables.map((table) => db.prepare(`select * from ${table}`).all()) };
  });

const opening = async (file: string): Promise<void> => openSqlite(file).close();

/** Opens the file until all that was stored before has been tallied. */
async function tallying(file: string): Promise<void> {
  const storage = openSqlite(file);
  const [experiment] = await storage.listExperiments({ limit: 1 });
  const pending = async () => (await storage.experimentCells(experiment?.id ?? 0))?.pending_rows;
  await vi.waitFor(async () => expect(await pending()).toBe(0), { timeout: 20_000 });
  await storage.close();
}

async function refusalOfOpening(file: string): Promise<UnusableDatabase> {
  try {
    await opening(file);
  } catch (error) {
    if (error instanceof UnusableDatabase) return error;
    throw error;
  }
  throw new Error("it was opened");
}

test("every row of a specified database is kept, column by column", async () => {
  const file = specifiedFile();
  const before = specifiedRows(file);
  expect(before.map((rows) => rows.length)).toEqual([3, 1, 2, 3, 4]);
  await opening(file);
  expect(specifiedRows(file)).toEqual(before);
});

test("its test is in the answers, and goes on: users keep their variants, values are counted", async () => {
  const storage = openSqlite(specifiedFile());
  const world = openWorld({ storage, now: () => NOW + 3_600_000 });
  const params = { test_id: "1" };
  expect((await call(getExperiment, world, { params })).body).toStrictEqual(coloursReply());
  expect((await call(listExperiments, world)).body).toStrictEqual({
    tests: [coloursReply()],
    next_cursor: null,
  });

  const ann = {
    user_id: "ann",
    test_id: 1,
    variant: "blue",
    variant_id: 2,
    value: "blue",
    assigned_at: "2026-11-22T10:00:01.000Z",
  };
  expect(await call(assignVariant, world, { params, body: { user_id: "ann" } })).toStrictEqual({
    outcome: "ok",
    body: ann,
  });
  expect((await call(assignVariant, world, { params, body: { user_id: "new" } })).outcome).toBe("created");

  await vi.waitUntil(async () => (await storage.experimentCells(1))?.pending_rows === 0);
  const before = (await call(getResults, world, { params })).body.results;
  const tracked = await call(trackMetric, world, {
    params,
    body: { user_id: "ann", metric_name: "click", value: 10 },
  });
  expect(tracked.body).toStrictEqual({ success: true, id: 5, variant: "blue", counted: true });
  const after = (await call(getResults, world, { params })).body.results;
  expect(
    before.map((one) => [
      one.variant_name,
      one.metric_count,
      one.average_value,
      one.min_value,
      one.max_value,
    ]),
  ).toEqual([
    ["red", 2, 2, -4, 8],
    ["blue", 2, 1.75, 1, 2.5],
  ]);
  expect(before.reduce((sum, { users }) => sum + users, 0)).toBe(4);
  expect(after.map(({ metric_count, max_value }) => [metric_count, max_value])).toEqual([
    [2, 8],
    [3, 10],
  ]);
  expect(after[1]?.metrics.map(({ metric_name, count, sum }) => [metric_name, count, sum])).toEqual([
    ["click", 1, 10],
    ["revenue", 0, 0],
  ]);
  await storage.close();
});

test("its events are where they were, and happened when they were stored", async () => {
  const file = specifiedFile();
  const storage = openSqlite(file);
  const world = openWorld({ storage });
  const { body } = await call(trackEvent, world, { body: { event_type: "new" } });
  expect(body.id).toBe(11);
  await storage.close();
  const found = byHand(file, (db) => db.prepare("select id, occurred_at from events order by id").all()) as {
    id: number;
    occurred_at: number;
  }[];
  expect(found.slice(0, 2)).toEqual([
    { id: 3, occurred_at: Date.parse("2025-01-02T03:04:05Z") },
    { id: 9, occurred_at: Date.parse("2025-01-02T03:04:06.789Z") },
  ]);
  expect(found.every(({ occurred_at }) => Number.isInteger(occurred_at))).toBe(true);
});

test("new rows sort together with those that SQLite's default has stamped", async () => {
  const file = specifiedFile();
  const storage = openSqlite(file);
  await call(trackEvent, openWorld({ storage }), { body: { event_type: "new" } });
  await storage.close();
  const created = byHand(file, (db) =>
    db
      .prepare("select created_at, datetime(created_at) as seconds from events where event_type = 'new'")
      .get(),
  );
  expect(created).toEqual({ created_at: "2026-11-22 10:00:00.000", seconds: "2026-11-22 10:00:00" });
});

test("rows whose test was deleted while keys were off neither stop the upgrade nor are lost", async () => {
  const orphans = `
    insert into ab_variants(id, test_id, variant_name, description, weight, created_at)
      values (7, 99, 'gone', null, 1, '2026-01-01 00:00:00');
    insert into ab_assignments(id, user_id, test_id, variant_id, assigned_at)
      values (7, 'ann', 99, 7, '2026-01-01 00:00:00');
    insert into ab_metrics(id, test_id, variant_id, metric_name, value, created_at)
      values (7, 99, 7, 'click', 1, '2026-01-01 00:00:00');`;
  const file = specifiedFile(orphans);
  const before = specifiedRows(file);
  await opening(file);
  expect(specifiedRows(file)).toEqual(before);
});

test("somebody's own program goes on writing the specified tables, and its test is served", async () => {
  const file = newFile();
  await opening(file);
  byHand(file, (db) => db.exec(ROWS));
  const storage = openSqlite(file);
  const world = openWorld({ storage });
  expect((await call(listExperiments, world)).body.tests).toStrictEqual([coloursReply()]);
  expect(
    (await call(assignVariant, world, { params: { test_id: "1" }, body: { user_id: "ann" } })).body.variant,
  ).toBe("blue");
  await storage.close();
});

interface Column {
  name: string;
  type: string;
  notnull: number;
  dflt_value: string | null;
  pk: number;
}

/** Columns, keys and uniqueness of a table as SQLite understands them, in small letters. */
function shapeOf(db: Database, table: string) {
  const specified = (COLUMNS[table] ?? "").split(", ");
  const columns = (db.pragma(`table_info(${table})`) as Column[])
    .filter(({ name }) => specified.includes(name))
    .map(({ name, type, notnull, dflt_value, pk }) => ({
      name,
      type: type.toLowerCase(),
      notnull,
      default: dflt_value?.toLowerCase() ?? null,
      pk,
    }));
  const keys = db.pragma(`foreign_key_list(${table})`) as Record<string, unknown>[];
  const indexes = db.pragma(`index_list(${table})`) as { name: string; unique: number; origin: string }[];
  const unique = indexes
    .filter(({ origin }) => origin === "u")
    .map(({ name }) => (db.pragma(`index_info(${name})`) as { name: string }[]).map((column) => column.name));
  const autoincrement = /autoincrement/i.test(
    String(db.prepare("select sql from sqlite_schema where name = ?").pluck().get(table)),
  );
  return { columns, keys, unique, autoincrement };
}

test.each(TABLES)(
  "a fresh database has %s with the columns, keys and cascades that are specified",
  async (table) => {
    const [fresh, specified] = [newFile(), newFile()];
    await opening(fresh);
    byHand(specified, (db) => db.exec(SPECIFIED));
    const wanted = byHand(specified, (db) => shapeOf(db, table));
    expect(wanted.columns).toHaveLength((COLUMNS[table] ?? "").split(", ").length);
    expect(byHand(fresh, (db) => shapeOf(db, table))).toEqual(wanted);
  },
);

test.each(TABLES)("an upgraded database still has %s as it was specified", async (table) => {
  const file = specifiedFile();
  const before = byHand(file, (db) => shapeOf(db, table));
  await opening(file);
  expect(byHand(file, (db) => shapeOf(db, table))).toEqual(before);
});

test("deleting a test takes all its rows along, and nothing of other tests", async () => {
  const file = specifiedFile(`
    insert into ab_tests(id, test_name) values (2, 'other');
    insert into ab_variants(id, test_id, variant_name) values (3, 2, 'a');
    insert into ab_assignments(user_id, test_id, variant_id) values ('ann', 2, 3);`);
  await opening(file);
  byHand(file, (db) => {
    db.pragma("foreign_keys = on");
    db.exec("delete from ab_tests where id = 1");
  });
  const left = specifiedRows(file).map((rows) => rows.length);
  expect(left).toEqual([3, 1, 1, 1, 0]);
  expect(byHand(file, (db) => db.pragma("foreign_key_check"))).toEqual([]);
});

test("opening a second time changes nothing", async () => {
  const file = specifiedFile();
  await tallying(file);
  const before = everything(file);
  await opening(file);
  expect(everything(file)).toEqual(before);
});

test("a database of a newer version is refused in words that say so, and is not touched", async () => {
  const file = specifiedFile();
  await opening(file);
  byHand(file, (db) => db.exec("insert into migrations values ('9999_from_the_future', '2030-01-01')"));
  const before = everything(file);
  const { message } = await refusalOfOpening(file);
  expect(message).toContain("ANALYTICS_DATABASE");
  expect(message).toContain("newer version");
  expect(message).toContain("9999_from_the_future");
  expect(everything(file)).toEqual(before);
});

test("an upgrade that fails midway changes nothing, and is made up for when the cause is gone", async () => {
  // Has the name of the tallies' last table, so that the migration fails after it has made and filled the first two.
  const file = specifiedFile("create table ab_totals (mine text);");
  const { message } = await refusalOfOpening(file);
  expect(message).toContain("ab_totals");
  const has = (name: string) =>
    byHand(file, (db) => db.prepare("select count(*) from sqlite_schema where name = ?").pluck().get(name));
  expect([has("ab_users"), has("ab_tallies"), has("ab_settings")]).toEqual([0, 0, 0]);
  const applied = () =>
    byHand(file, (db) => db.prepare("select name from migrations order by name").pluck().all());
  expect(applied()).toEqual([]);

  byHand(file, (db) => db.exec("drop table ab_totals"));
  const before = specifiedRows(file);
  await opening(file);
  expect(applied()).toContain("0004_tallies");
  expect(specifiedRows(file)).toEqual(before);
});

test.each<[string, () => string]>([
  [
    "a file that is no database",
    () => {
      const file = newFile();
      writeFileSync(file, "These are the notes of somebody, and no database at all. ".repeat(100));
      return file;
    },
  ],
  [
    "a folder",
    () => {
      const file = newFile();
      mkdirSync(file);
      return file;
    },
  ],
  [
    "a place below a file",
    () => {
      const file = newFile();
      writeFileSync(file, "");
      return join(file, "analytics.db");
    },
  ],
  [
    "a database that is cut short",
    () => {
      const file = specifiedFile();
      writeFileSync(file, readFileSync(file).subarray(0, 5_000));
      return file;
    },
  ],
])("%s is refused by a message that names the setting and the place", async (_name, make) => {
  const file = make();
  const { message } = await refusalOfOpening(file);
  expect(message).toContain("ANALYTICS_DATABASE");
  expect(message).toContain(file);
});

test("a refusal leaves somebody's file as it was", async () => {
  const file = newFile();
  const notes = "These are the notes of somebody, and no database at all. ".repeat(100);
  writeFileSync(file, notes);
  await refusalOfOpening(file);
  expect(readFileSync(file, "utf8")).toBe(notes);
});
