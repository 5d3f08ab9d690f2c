import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { ROWS_A_BUILD } from "../../../adapters/rollups/build/builder.ts";
import { MAX_NAMES } from "../../../adapters/rollups/store.ts";
import { createPlanner } from "../../../adapters/sqlite/reports/rollup-build.ts";
import { type BuildPlan, createRollupWriter } from "../../../adapters/sqlite/reports/rollup-writer.ts";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import { eventAt, json } from "../question-stories/asked.ts";

const NAMES_AN_EVENT = 250;
// A property, its value, and the hour of its values.
const ROWS_A_NAME = 3;

/** Wide events, each with property names of its own. */
const wideEvents = (count: number, typeOf: (turn: number) => string) =>
  Array.from({ length: count }, (_, turn) => {
    const names = Array.from({ length: NAMES_AN_EVENT }, (_, n) => `name ${turn * NAMES_AN_EVENT + n}`);
    return eventAt(0, typeOf(turn), json(Object.fromEntries(names.map((name) => [name, turn]))));
  });

/** Builds these events step by step; the plans of all steps. */
async function plansOf(events: ReturnType<typeof wideEvents>): Promise<BuildPlan[]> {
  const folder = mkdtempSync(join(tmpdir(), "analytics-builds-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "events.db");
  const storage = openSqlite(file);
  await storage.appendEvents(events);
  await storage.close();
  const db = new Sqlite(file);
  onTestFinished(() => void db.close());
  const [plan, writer] = [createPlanner(db), createRollupWriter(db)];
  const plans: BuildPlan[] = [];
  for (let next = plan(5_000); next !== undefined; next = plan(5_000)) {
    writer.carryOut(next);
    plans.push(next);
  }
  return plans;
}

const rowsOf = ({ rows }: BuildPlan): number =>
  Object.values(rows).reduce((sum, some) => sum + some.length, 0);

test("a build ends with the event that changes its thousandth row, and the next one continues there", async () => {
  const plans = await plansOf(wideEvents(40, (turn) => `type ${turn}`));
  const [last] = plans.slice(-1);
  expect(plans.reduce((sum, { taken }) => sum + taken, 0)).toBe(40);
  expect([plans[0]?.through, last?.through]).toEqual([plans[0]?.taken, 40]);
  for (const plan of plans) {
    expect(rowsOf(plan)).toBeLessThan(ROWS_A_BUILD + ROWS_A_NAME * NAMES_AN_EVENT);
  }
});

test("once a type has its number of names, events with further names cost no rows of their own", async () => {
  const plans = await plansOf(wideEvents(60, () => "wide"));
  const names = plans.flatMap(({ rows }) => rows.properties.map(({ id }) => id));
  expect(new Set(names).size).toBe(MAX_NAMES);
  expect(plans.at(-1)?.taken).toBeGreaterThan(40);
});
