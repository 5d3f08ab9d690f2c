import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { conditionOf } from "../../../adapters/sqlite/failures.ts";
import { createWriteProbe } from "../../../adapters/sqlite/write-probe.ts";

const folder = mkdtempSync(join(tmpdir(), "analytics-probe-"));
afterAll(() => rmSync(folder, { recursive: true }));

function opened(name: string, options: Sqlite.Options = {}) {
  const db = new Sqlite(join(folder, name), { timeout: 0, ...options });
  onTestFinished(() => void db.close());
  return db;
}

test("a database that takes writes is ok, and keeps its version number", () => {
  const db = opened("version.db");
  db.pragma("user_version = 7");
  createWriteProbe(db).check();
  expect(db.pragma("user_version", { simple: true })).toBe(7);
});

test("a database that may not be written is read-only", async () => {
  opened("read-only.db").exec("create table t(x)");
  const probe = createWriteProbe(opened("read-only.db", { readonly: true }));
  expect(await conditionOf(probe.check)).toMatchObject({ state: "read-only" });
});

test("a database without room is full, and ok again once there is room", async () => {
  const db = opened("full.db");
  db.exec("create table t(x)");
  const pages = db.pragma("page_count", { simple: true });
  db.pragma(`max_page_count = ${pages}`);
  // The probe itself needs no new page here: the failed write is what casts doubt, and the probe finds none.
  expect(() => db.exec("create table u(x)")).toThrow("database or disk is full");
  const probe = createWriteProbe(db);
  probe.doubt();
  expect(await conditionOf(probe.check)).toEqual({ state: "ok" });
});

test("a lock of another process does not make a database unwritable", async () => {
  const db = opened("locked.db");
  const other = opened("locked.db");
  const probe = createWriteProbe(db);
  other.exec("begin immediate");
  expect(await conditionOf(probe.check)).toEqual({ state: "ok" });
});
