import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import Sqlite from "better-sqlite3";
import { afterAll, expect, test } from "vitest";
import { openSqlite } from "../../adapters/sqlite/storage.ts";

const script = fileURLToPath(new URL("../../scripts/run.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "analytics-rebuild-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rebuild = (...args: string[]) =>
  promisify(execFile)(process.execPath, [script, "rebuild", ...args], { cwd: folder });

const eventOf = (user_id: string) => ({
  event_type: "click",
  user_id,
  session_id: null,
  properties: JSON.stringify({ plan: user_id === "ann" ? "pro" : "free" }),
  created_at: 0,
  occurred_at: 0,
  message_key: null,
});

const byPlan = {
  event_types: [],
  measure: "count" as const,
  edges: [0, 1],
  where: [],
  breakdown: "plan",
  limit: 10,
};
const free = [{ event_type: null, group: { kind: "value", value: "free" }, total: 1, values: [1] }];

test("a rebuild corrects the reports after events were deleted with SQL", async () => {
  const file = join(folder, "analytics.db");
  const before = openSqlite(file);
  await before.appendEvents(["ann", "ann", "bob"].map(eventOf));
  await before.eventTypes();
  await before.close();
  const db = new Sqlite(file);
  db.exec("delete from events where user_id = 'ann'");
  db.close();

  const stale = openSqlite(file);
  const { value, recomputed } = await stale.trend(byPlan, { verify: true });
  expect(value).not.toEqual(recomputed);
  expect(recomputed).toEqual(free);
  await stale.close();

  const { stderr } = await rebuild("--database", file);
  expect(stderr).toBe("The rollups contain 1 events of 1 types.\n");
  const after = openSqlite(file);
  expect(await after.trend(byPlan, { verify: true })).toEqual({
    source: "rollup",
    value: free,
    recomputed: free,
  });
  await after.close();
});

test("an unknown option is refused with the help", async () => {
  await expect(rebuild("--databse", "analytics.db")).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^Unknown option '--databse'[\s\S]*analytics-server rebuild \[--database <file>\]/,
    ),
  });
});

test("a missing file is refused and not created", async () => {
  await expect(rebuild("--database", join(folder, "none.db"))).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("There is no file"),
  });
});
