import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { openPostgres } from "../../adapters/postgres/storage.ts";
import { openSqlite } from "../../adapters/sqlite/storage.ts";
import type { Storage } from "../../domain/storage.ts";
import { verifyTallies } from "../../scripts/commands/verify-tallies.ts";
import { fillWithSample } from "../adapters/postgres/sample.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "../adapters/postgres/server.ts";

const folder = mkdtempSync(join(tmpdir(), "analytics-verify-"));
const file = join(folder, "analytics.db");
let server: PostgresServer;
let url: string;

async function fill(storage: Storage): Promise<void> {
  const { id, variants } = await fillWithSample(storage);
  const [red, blue] = variants.map((variant) => variant.id);
  const AT = Date.parse("2026-11-22T10:00:00.000Z");
  const link = (anonymous_id: string, user_id: string) =>
    storage.linkUsers({ anonymous_id, user_id, linked_at: AT });
  // The same variant, and different ones.
  await link("user-0", "user-3");
  await link("user-1", "user-2");
  await storage.updateExperiment(id, (experiment) => ({
    experiment,
    forced: [{ user_id: "tester", variant_id: red ?? 0 }],
    at: AT,
  }));
  const value = { metric_name: "revenue", value: 5, created_at: AT, occurred_at: AT, message_key: null };
  await storage.appendMetrics(id, [{ ...value, user_id: "tester" }]);
  await storage.assign(id, [{ user_id: "erased", variant_id: blue ?? 0, assigned_at: AT }]);
  await storage.appendMetrics(id, [{ ...value, user_id: "erased" }]);
  await storage.eraseUser({ user_id: "erased", receipt: "receipt", requested_at: AT });
  await storage.close();
}

beforeAll(async () => {
  server = await startPostgres(bundledPostgres(), { fsync: "off" });
  url = await server.newDatabase();
  await fill(openSqlite(file));
  await fill(await openPostgres(url));
}, 120_000);
afterAll(async () => {
  await server.remove();
  rmSync(folder, { recursive: true });
});

/** Runs the command; what it says apart from its progress. */
function verify(database: string) {
  const args = [join(inject("project"), "dist/cli.mjs"), "verify", "--database", database];
  return new Promise<{ code: unknown; said: string }>((resolve) => {
    execFile(process.execPath, args, (error, _out, stderr) => {
      resolve({ code: error?.code ?? 0, said: stderr.replace(/^\d+ % .*\n/gm, "") });
    });
  });
}

async function run(database: string, sql: string): Promise<void> {
  if (database === file) {
    const db = new Sqlite(file);
    db.exec(sql);
    db.close();
    return;
  }
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

const ENGINES = [
  ["SQLite", () => file],
  ["PostgreSQL", () => url],
] as const;

const ALL_DAYS = "day = -1000000";
const LINE = "experiment 1 (colours)";

/** SQL that damages tallies, the SQL that undoes it, and what is said. */
const DAMAGES = [
  [
    `update ab_cell_users set users = users + 1 where ${ALL_DAYS} and users > 1`,
    `update ab_cell_users set users = users - 1 where ${ALL_DAYS} and users > 1`,
    /^experiment 1 \(colours\): red, weights 1: users: \d+ in the tallies, \d+ computed$/,
  ],
  [
    `update ab_cell_sums set y = y + 1 where ${ALL_DAYS} and metric_name = 'revenue'`,
    `update ab_cell_sums set y = y - 1 where ${ALL_DAYS} and metric_name = 'revenue'`,
    /^experiment 1 \(colours\): red, weights 1: revenue: y: [\d.]+ in the tallies, [\d.]+ computed$/,
  ],
  [
    `update ab_cell_sums set count = count + 1 where not ${ALL_DAYS} and metric_name = 'clicks'`,
    `update ab_cell_sums set count = count - 1 where not ${ALL_DAYS} and metric_name = 'clicks'`,
    /^experiment 1 \(colours\), all days together: red, weights 1: clicks: count: \d+ in the tallies, \d+ computed$/,
  ],
  [
    "update ab_observations set total = total + 1 where user_id = 'user-5' and metric_name = 'revenue'",
    "update ab_observations set total = total - 1 where user_id = 'user-5' and metric_name = 'revenue'",
    /^experiment 1 \(colours\): green, weights 1: revenue: y: [\d.]+ in the tallies, [\d.]+ computed$/,
  ],
  [
    "update ab_raw_values set count = count - 1 where metric_name = 'buy' and count > 0",
    "update ab_raw_values set count = count + 1 where metric_name = 'buy' and count > 0",
    /^experiment 1 \(colours\): red: values of buy: \d+ in the tallies, \d+ stored$/,
  ],
] as const;

describe.each(ENGINES)("verify on %s", (_engine, database) => {
  const open = async (): Promise<Storage> =>
    database() === file ? openSqlite(file) : openPostgres(database());

  test("says that everything is right, of linked, erased and forced users too", async () => {
    const { code, said } = await verify(database());
    expect(said).toMatch(/^The rollups of \d+ events and the tallies of 1 experiment are right\.\n$/);
    expect(code).toBe(0);
  });

  test.each(DAMAGES)("finds what differs after: %s", async (damage, undo, line) => {
    await run(database(), damage);
    try {
      const storage = await open();
      const found = await verifyTallies(storage, () => {});
      await storage.close();
      expect(found).toContainEqual(expect.stringMatching(line));
    } finally {
      await run(database(), undo);
    }
  });

  test("ends with 1, and lists what differs and what to do", async () => {
    await run(database(), "update event_types set count = count + 1 where event_type = 'view'");
    await run(database(), DAMAGES[0][0]);
    const { code, said } = await verify(database());
    expect(code).toBe(1);
    const rebuild =
      database() === file
        ? `npm run rebuild -- --database ${file}`
        : "update event_rollup set format = 0, and start the server";
    expect(said).toContain(
      `The rollups differ from the events. Build them again (${rebuild}):\n  events of "view": `,
    );
    expect(said).toContain(`Restore a backup from before:\n  ${LINE}: red, weights 1: users: `);
  });
});
