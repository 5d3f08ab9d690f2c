import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, expect, onTestFinished, test, vi } from "vitest";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import { ExperimentInput, newExperiment } from "../../../domain/experiments/experiment.ts";
import { refusalOf } from "../../world.ts";

const folder = mkdtempSync(join(tmpdir(), "analytics-deletions-"));
afterAll(() => rmSync(folder, { recursive: true }));

const USERS = 5_000;
const TABLES = ["ab_tests", "ab_variants", "ab_assignments", "ab_metrics", "ab_observations", "ab_deletions"];

let files = 0;

/** A file with one experiment that thousands of users are in, each with a value. */
async function openFull() {
  files += 1;
  const file = join(folder, `${files}.db`);
  const storage = openSqlite(file);
  const variants = [{ variant_name: "red" }, { variant_name: "blue" }];
  const input = ExperimentInput.parse({ test_name: "colours", variants });
  const experiment = await storage.createExperiment(newExperiment(input, "salt", 0));
  const { id = 0, variants: [red] = [] } = experiment ?? {};
  const users = Array.from({ length: USERS }, (_, n) => `user-${n}`);
  await storage.assign(
    id,
    users.map((user_id) => ({ user_id, variant_id: red?.id ?? 0, assigned_at: 0 })),
  );
  const value = { metric_name: "revenue", value: 1, created_at: 0, occurred_at: 0, message_key: null };
  await storage.appendMetrics(
    id,
    users.map((user_id) => ({ ...value, user_id })),
  );
  return { file, storage, id };
}

/** Rows of each table, as another program sees them. */
function rowsOf(file: string): Record<string, number> {
  const db = new Sqlite(file, { readonly: true });
  onTestFinished(() => void db.close());
  const count = (table: string) => db.prepare<[], number>(`select count(*) from ${table}`).pluck().get() ?? 0;
  return Object.fromEntries(TABLES.map((table) => [table, count(table)]));
}

const EMPTY = Object.fromEntries(TABLES.map((table) => [table, 0]));

test("a deletion is answered before the rows of its users are gone, and they are removed soon after", async () => {
  const { file, storage, id } = await openFull();
  onTestFinished(() => storage.close());
  expect(await storage.deleteExperiment(id)).toBe(true);
  expect(rowsOf(file)).toMatchObject({ ab_tests: 0, ab_variants: 0, ab_assignments: USERS, ab_deletions: 1 });
  await vi.waitFor(() => expect(rowsOf(file)).toEqual(EMPTY), { timeout: 20_000 });
});

test("a deletion that a crash interrupts goes on at the next start, and shows nothing meanwhile", async () => {
  const { file, storage, id } = await openFull();
  await storage.deleteExperiment(id);
  await storage.close();
  expect(rowsOf(file)).toMatchObject({ ab_deletions: 1 });
  expect(rowsOf(file).ab_assignments).toBeGreaterThan(0);
  const next = openSqlite(file);
  onTestFinished(() => next.close());
  expect(await next.findExperiment(id)).toBeUndefined();
  expect(await next.findAssignment(id, "user-1")).toBeUndefined();
  await vi.waitFor(() => expect(rowsOf(file)).toEqual(EMPTY), { timeout: 20_000 });
});

test("each transaction of a deletion is small: other writes wait for one slice, not for all of it", async () => {
  const { file, storage, id } = await openFull();
  onTestFinished(() => storage.close());
  await storage.deleteExperiment(id);
  const event = { event_type: "click", user_id: null, session_id: null, properties: null, message_key: null };
  await storage.appendEvents([{ ...event, created_at: 0, occurred_at: 0 }]);
  expect(rowsOf(file).ab_assignments).toBeGreaterThan(0);
});

interface Column {
  readonly name: string;
  readonly type: string;
}

test("no table keeps a row of an experiment that was deleted", async () => {
  const { file, storage, id } = await openFull();
  onTestFinished(() => storage.close());
  const db = new Sqlite(file);
  onTestFinished(() => void db.close());
  db.pragma("foreign_keys = off");
  const tables = db
    .prepare<[], string>(
      `select m.name from sqlite_schema m join pragma_table_info(m.name) c
       where m.type = 'table' and c.name = 'test_id' and m.name <> 'ab_deletions' order by m.name`,
    )
    .pluck()
    .all();
  expect(tables).toContain("ab_assignments");
  for (const table of tables) {
    const columns = db
      .prepare<[string], Column>(
        "select name, type from pragma_table_info(?) where \"notnull\" = 1 or pk > 0 or name = 'test_id'",
      )
      .all(table);
    const values = columns.map(({ name, type }) =>
      name === "test_id" ? id : type === "text" ? "'x'" : "987654",
    );
    db.exec(
      `insert or ignore into ${table}(${columns.map(({ name }) => name).join(", ")}) values (${values.join(", ")})`,
    );
  }
  const count = (table: string) =>
    db.prepare<[number], number>(`select count(*) from ${table} where test_id = ?`).pluck().get(id);
  const counts = () => Object.fromEntries(tables.map((table) => [table, count(table)]));
  expect(Object.values(counts())).not.toContain(0);
  await storage.deleteExperiment(id);
  const none = Object.fromEntries(tables.map((table) => [table, 0]));
  await vi.waitFor(() => expect(counts()).toEqual(none), { timeout: 20_000 });
});

test("foreign keys hold again after a deletion", async () => {
  const { storage, id } = await openFull();
  onTestFinished(() => storage.close());
  await storage.deleteExperiment(id);
  const other = await storage.createExperiment(
    newExperiment(
      ExperimentInput.parse({ test_name: "o", variants: [{ variant_name: "a" }, { variant_name: "b" }] }),
      "salt",
      0,
    ),
  );
  const nowhere = { user_id: "new", variant_id: 999, assigned_at: 0 };
  await expect(storage.assign(other?.id ?? 0, [nowhere])).rejects.toMatchObject({
    code: "SQLITE_CONSTRAINT_FOREIGNKEY",
  });
});

test("a deletion that meets the lock of another process waits for it, then is refused, and has changed nothing", async () => {
  const { file, storage, id } = await openFull();
  onTestFinished(() => storage.close());
  const other = new Sqlite(file);
  onTestFinished(() => void other.close());
  other.exec("begin immediate");
  expect(await refusalOf(storage.deleteExperiment(id))).toMatchObject({ code: "unavailable" });
  expect(await storage.findExperiment(id)).toBeDefined();
  const patient = storage.deleteExperiment(id);
  other.exec("rollback");
  expect(await patient).toBe(true);
});
