import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import Sqlite from "better-sqlite3";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, type TestContext, test } from "vitest";
import { verifyDatabase } from "../../adapters/postgres/reports/verification.ts";
import { openPostgres } from "../../adapters/postgres/storage.ts";
import { verifyFile } from "../../adapters/sqlite/reports/verification.ts";
import { openSqlite } from "../../adapters/sqlite/storage.ts";
import type { NewEvent } from "../../domain/events/event.ts";
import { messageKey } from "../../domain/events/message-id.ts";
import { ExperimentInput, newExperiment } from "../../domain/experiments/experiment.ts";
import type { Storage } from "../../domain/storage.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "../adapters/postgres/server.ts";
import { awaitOutput, freePort, spawnNode, stopChild } from "../bench/processes.ts";
import { testFolder } from "./servers.ts";

// `CRASHES=50 npx vitest run --project slow erasure-crash` kills each server fifty times.
const KILLS = Number(process.env.CRASHES ?? 4);
const AT = Date.parse("2026-11-01T00:00:00.000Z");
const HOUR = 3_600_000;
const HOURS = 300;
const OWN = 1_500;
const OTHERS = 6_000;
// Within this time after the request an erasure of this size is at any of its steps.
const LATEST_KILL_MS = 400;

const eventOf = (n: number, user_id: string): NewEvent => ({
  event_type: n % 3 === 0 ? "buy" : "view",
  user_id,
  session_id: null,
  properties: JSON.stringify({ plan: `plan ${n % 5}`, by: user_id }),
  created_at: AT,
  occurred_at: AT + (n % HOURS) * HOUR + n,
  message_key: messageKey(`${user_id} ${n}`),
});

async function append(storage: Storage, events: readonly NewEvent[]): Promise<void> {
  for (let from = 0; from < events.length; from += 500)
    await storage.appendEvents(events.slice(from, from + 500));
}

/** Ann and 20 others, all of them in one experiment with a value each. */
async function fill(storage: Storage): Promise<void> {
  const variants = [{ variant_name: "red" }, { variant_name: "blue" }];
  const input = ExperimentInput.parse({ test_name: "colours", variants });
  const experiment = await storage.createExperiment(newExperiment(input, "salt", AT));
  const variant_id = experiment?.variants[0]?.id ?? 0;
  const users = ["ann", ...Array.from({ length: 20 }, (_, n) => `user ${n}`)];
  const enrolled = users.map((user_id) => ({ user_id, variant_id, assigned_at: AT }));
  await storage.assign(experiment?.id ?? 0, enrolled);
  await storage.appendMetrics(
    experiment?.id ?? 0,
    users.map((user_id) => ({
      user_id,
      metric_name: "sales",
      value: 2,
      created_at: AT,
      occurred_at: AT,
      message_key: null,
    })),
  );
  await append(
    storage,
    Array.from({ length: OTHERS }, (_, n) => eventOf(n, `user ${n % 20}`)),
  );
  await append(
    storage,
    Array.from({ length: OWN }, (_, n) => eventOf(n, "ann")),
  );
  await storage.eventTypes();
  await storage.close();
}

interface Shown {
  readonly events: number;
  readonly users: number;
  readonly values: number;
}

const WITH_ANN: Shown = { events: OTHERS + OWN, users: 21, values: 21 };
const WITHOUT_ANN: Shown = { events: OTHERS, users: 20, values: 20 };

async function ask<T>(url: string): Promise<T> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

/** What reports and results show; the report is compared with the events by the server. */
async function shown(url: string): Promise<Shown> {
  const range = "from=2026-11-01&to=2026-12-01&interval=day&verify=1";
  const { series, meta } = await ask<{
    series: { total: number }[];
    meta: { verification: { ok: boolean } };
  }>(`${url}/apiv1/events/trend?${range}`);
  expect(meta.verification.ok).toBe(true);
  const { results } = await ask<{ results: { users: number; metric_count: number }[] }>(
    `${url}/apiv1/ab-tests/1/results`,
  );
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  return {
    events: series[0]?.total ?? 0,
    users: sum(results.map(({ users }) => users)),
    values: sum(results.map(({ metric_count }) => metric_count)),
  };
}

const erase = (url: string) => fetch(`${url}/apiv1/users/ann`, { method: "DELETE" });

const serverOn = (database: string, port: string, settings: Record<string, string> = {}) =>
  spawnNode({
    args: [join(inject("project"), "dist/serve.mjs")],
    env: {
      ANALYTICS_PORT: port,
      ANALYTICS_DATABASE: database,
      ANALYTICS_LOG_LEVEL: "error",
      ...settings,
    },
  });

async function kill(server: ChildProcess): Promise<void> {
  const gone = once(server, "exit");
  server.kill("SIGKILL");
  await gone;
}

/** Starts a server on a filled database, erases a user, and kills it after some time; what it shows when it is started again. */
async function killedAfter(database: string, milliseconds: number) {
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  const start = () => serverOn(database, port);
  const first = start();
  await awaitOutput(first, /listens on/);
  const answered = erase(url).then(
    () => true,
    () => false,
  );
  await pause(milliseconds);
  await kill(first);
  const isAnswered = await answered;
  const second = start();
  try {
    await awaitOutput(second, /listens on/);
    const atOnce = await shown(url);
    const again = await erase(url);
    const inTheEnd = await shown(url);
    const late = { event_type: "view", user_id: "ann", message_id: "ann 7" };
    const retried = await fetch(`${url}/apiv1/events`, { method: "POST", body: JSON.stringify(late) });
    const afterRetry = await shown(url);
    return { isAnswered, atOnce, again: again.status, inTheEnd, retried: retried.status, afterRetry };
  } finally {
    await stopChild(second);
  }
}

/** Kills at times spread over the erasure; how many kills came in the middle of one. */
async function killOften(databaseOf: (turn: number) => Promise<string>): Promise<number> {
  let interrupted = 0;
  for (let turn = 0; turn < KILLS; turn += 1) {
    const after = (LATEST_KILL_MS * turn) / KILLS;
    const report = await killedAfter(await databaseOf(turn), after);
    expect([WITH_ANN, WITHOUT_ANN]).toContainEqual(report.atOnce);
    if (report.isAnswered) expect(report.atOnce).toEqual(WITHOUT_ANN);
    // Nothing is stored about her any more, or the erasure goes on and answers this request too.
    expect([200, 404]).toContain(report.again);
    expect(report.inTheEnd).toEqual(WITHOUT_ANN);
    expect([report.retried, report.afterRetry]).toEqual([200, WITHOUT_ANN]);
    if (!report.isAnswered && report.atOnce.events === OTHERS) interrupted += 1;
  }
  return interrupted;
}

const KEEP_DAYS = Math.floor((Date.now() - AT) / (24 * HOUR)) - 6;

/** How many of the events are kept at a time; events of whole hours go together. */
const keptAt = (now: number): number => {
  const first = Math.floor((now - KEEP_DAYS * 24 * HOUR) / HOUR);
  const all = [
    ...Array.from({ length: OTHERS }, (_, n) => eventOf(n, "other")),
    ...Array.from({ length: OWN }, (_, n) => eventOf(n, "ann")),
  ];
  return all.filter(({ occurred_at }) => Math.floor(occurred_at / HOUR) >= first).length;
};

/** A database that is filled, and what the test does with it besides serving it. */
interface Filled {
  /** For ANALYTICS_DATABASE. */
  readonly name: string;
  /** Lets the next server build the rollups again. */
  invalidate(): Promise<void>;
  /** Whether a build of all rollups has begun and not ended. */
  isBeingBuilt(): Promise<boolean>;
  /** The number of figures of the rollups that differ from the events. */
  differences(): Promise<number | undefined>;
}

/** Starts a server that removes old events on the same database again and again, and kills it in the middle. */
async function killedWhileExpiring(
  { name }: Filled,
  settings: Record<string, string> = {},
): Promise<{ shown: number[]; inTheEnd: Shown }> {
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  const start = () => serverOn(name, port, { ANALYTICS_KEEP_DAYS: String(KEEP_DAYS), ...settings });
  const seen: number[] = [];
  for (let turn = 0; turn < KILLS; turn += 1) {
    const server = start();
    await awaitOutput(server, /listens on/);
    seen.push((await shown(url)).events);
    await kill(server);
  }
  const last = start();
  try {
    await awaitOutput(last, /listens on/);
    const pending = async () => (await ask<{ expiry: { pending: boolean } }>(`${url}/health`)).expiry.pending;
    await expect.poll(pending, { timeout: 60_000 }).toBe(false);
    return { shown: seen, inTheEnd: await shown(url) };
  } finally {
    await stopChild(last);
  }
}

const LATEST_BUILD_KILL_MS = 300;

/** Kills servers while they build all rollups again; what the next server shows each time, and how many kills came in time. */
async function killedWhileBuilding(database: Filled): Promise<{ shown: Shown[]; interrupted: number }> {
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  const seen: Shown[] = [];
  let interrupted = 0;
  for (let turn = 0; turn < KILLS; turn += 1) {
    await database.invalidate();
    const first = serverOn(database.name, port);
    await awaitOutput(first, /listens on/);
    await pause((LATEST_BUILD_KILL_MS * turn) / KILLS);
    await kill(first);
    if (await database.isBeingBuilt()) interrupted += 1;
    const second = serverOn(database.name, port);
    await awaitOutput(second, /listens on/);
    seen.push(await shown(url));
    await kill(second);
  }
  const last = serverOn(database.name, port);
  await awaitOutput(last, /listens on/);
  await shown(url);
  await expect.poll(database.isBeingBuilt, { timeout: 60_000 }).toBe(false);
  await stopChild(last);
  return { shown: seen, interrupted };
}

interface Place {
  /** A database of its own for each call. */
  create(): Promise<Filled>;
}

async function onSqlite(onTestFinished: TestContext["onTestFinished"]): Promise<Place> {
  const folder = await testFolder(onTestFinished);
  const filled = join(folder, "filled.db");
  await fill(openSqlite(filled));
  let files = 0;
  return {
    async create() {
      files += 1;
      const name = join(folder, `${files}.db`);
      copyFileSync(filled, name);
      const within = <T>(act: (db: Sqlite.Database) => T): T => {
        const db = new Sqlite(name);
        try {
          return act(db);
        } finally {
          db.close();
        }
      };
      return {
        name,
        invalidate: async () =>
          void within((db) => db.exec("update event_rollup set format = 0, through = 0")),
        isBeingBuilt: async () =>
          within((db) =>
            db.prepare("select through < (select max(id) from events) from event_rollup").pluck().get(),
          ) === 1,
        differences: async () => verifyFile(name, () => {})?.all,
      };
    },
  };
}

async function runOn<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<Row>(text).finally(() => client.end());
  return rows;
}

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres(bundledPostgres());
});
afterAll(() => postgres.remove());

const onPostgres = async (): Promise<Place> => ({
  async create() {
    const name = await postgres.newDatabase();
    await fill(await openPostgres(name));
    return {
      name,
      invalidate: async () => void (await runOn(name, "update event_rollup set format = 0")),
      async isBeingBuilt() {
        const [row] = await runOn<{ some: boolean }>(
          name,
          "select format = 0 or backfilled < backfill_end as some from event_rollup",
        );
        return row?.some ?? false;
      },
      differences: async () => (await verifyDatabase(name, {}, () => {}))?.all,
    };
  },
});

describe.each([
  ["SQLite", onSqlite],
  ["PostgreSQL", onPostgres],
] as const)("a server on %s that is killed", (name, placeOf) => {
  test("while it erases a user never shows a half-erased user, and finishes after the start", async ({
    onTestFinished,
  }) => {
    const place = await placeOf(onTestFinished);
    const interrupted = await killOften(async () => (await place.create()).name);
    process.stdout.write(`${name}: ${interrupted} of ${KILLS} kills came in the middle of the erasure\n`);
  }, 900_000);

  test("while it removes old events answers exactly, and goes on", async ({ onTestFinished }) => {
    const database = await (await placeOf(onTestFinished)).create();
    const before = keptAt(Date.now());
    const report = await killedWhileExpiring(database);
    // Experiments keep their users and values.
    const { events, ...figures } = report.inTheEnd;
    expect(figures).toEqual({ users: 21, values: 21 });
    expect([before, keptAt(Date.now())]).toContain(events);
    // Each start goes on from where the one before was killed.
    expect(report.shown).toEqual([...report.shown].sort((a, b) => b - a));
    expect(await database.differences()).toBe(0);
  }, 900_000);

  test("while it removes old events and keeps their number counts each of them once", async ({
    onTestFinished,
  }) => {
    const database = await (await placeOf(onTestFinished)).create();
    const report = await killedWhileExpiring(database, { ANALYTICS_KEEP_COUNTS: "1" });
    expect([...report.shown, report.inTheEnd.events]).toEqual(Array(KILLS + 1).fill(OTHERS + OWN));
    expect(await database.differences()).toBe(0);
  }, 900_000);

  test("while it builds all rollups again answers exactly, and goes on", async ({ onTestFinished }) => {
    const database = await (await placeOf(onTestFinished)).create();
    const { shown: seen, interrupted } = await killedWhileBuilding(database);
    expect(seen).toEqual(seen.map(() => WITH_ANN));
    expect(await database.differences()).toBe(0);
    process.stdout.write(`${name}: ${interrupted} of ${KILLS} kills came in the middle of the build\n`);
  }, 900_000);
});
