import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, inject, test } from "vitest";
import { openPostgres } from "../../adapters/postgres/storage.ts";
import { openSqlite } from "../../adapters/sqlite/storage.ts";
import type { NewEvent } from "../../domain/events/event.ts";
import { messageKey } from "../../domain/events/message-id.ts";
import { ExperimentInput, newExperiment } from "../../domain/experiments/experiment.ts";
import type { Storage } from "../../domain/storage.ts";
import { bundledPostgres, startPostgres } from "../adapters/postgres/server.ts";
import { awaitOutput, freePort, spawnNode, stopChild } from "../bench/processes.ts";
import { testFolder } from "./servers.ts";

// CRASHES=50 kills each server fifty times.
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

/** Starts a server on a filled database, erases a user, and kills it after some time; what it shows when it is started again. */
async function killedAfter(database: string, milliseconds: number) {
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  const env = { ANALYTICS_PORT: port, ANALYTICS_DATABASE: database, ANALYTICS_LOG_LEVEL: "error" };
  const start = () => spawnNode({ args: [join(inject("project"), "dist/serve.mjs")], env });
  const first = start();
  await awaitOutput(first, /listens on/);
  const answered = erase(url).then(
    () => true,
    () => false,
  );
  await pause(milliseconds);
  const gone = once(first, "exit");
  first.kill("SIGKILL");
  await gone;
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

/** Starts a server that removes old events on the same database again and again, and kills it in the middle. */
async function killedWhileExpiring(database: string): Promise<{ shown: number[]; inTheEnd: Shown }> {
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  const env = {
    ANALYTICS_PORT: port,
    ANALYTICS_DATABASE: database,
    ANALYTICS_LOG_LEVEL: "error",
    ANALYTICS_KEEP_DAYS: String(KEEP_DAYS),
  };
  const start = () => spawnNode({ args: [join(inject("project"), "dist/serve.mjs")], env });
  const seen: number[] = [];
  for (let turn = 0; turn < KILLS; turn += 1) {
    const server = start();
    await awaitOutput(server, /listens on/);
    seen.push((await shown(url)).events);
    const gone = once(server, "exit");
    server.kill("SIGKILL");
    await gone;
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

test("a server that is killed while it removes old events answers exactly, and goes on", async ({
  onTestFinished,
}) => {
  const folder = await testFolder(onTestFinished);
  await fill(openSqlite(join(folder, "filled.db")));
  const before = keptAt(Date.now());
  const report = await killedWhileExpiring(join(folder, "filled.db"));
  // Experiments keep their users and values.
  const { events, ...figures } = report.inTheEnd;
  expect(figures).toEqual({ users: 21, values: 21 });
  expect([before, keptAt(Date.now())]).toContain(events);
  // Each start goes on from where the one before was killed.
  expect(report.shown).toEqual([...report.shown].sort((a, b) => b - a));
}, 600_000);

describe("a server that is killed while it erases a user", () => {
  test("never shows a half-erased user and finishes after the start: SQLite", async ({ onTestFinished }) => {
    const folder = await testFolder(onTestFinished);
    await fill(openSqlite(join(folder, "filled.db")));
    const interrupted = await killOften(async (turn) => {
      const file = join(folder, `${turn}.db`);
      copyFileSync(join(folder, "filled.db"), file);
      return file;
    });
    process.stdout.write(`SQLite: ${interrupted} of ${KILLS} kills came in the middle of the erasure\n`);
  }, 600_000);

  test("never shows a half-erased user and finishes after the start: PostgreSQL", async ({
    onTestFinished,
  }) => {
    const server = await startPostgres(bundledPostgres());
    onTestFinished(() => server.remove());
    const interrupted = await killOften(async () => {
      const url = await server.newDatabase();
      await fill(await openPostgres(url));
      return url;
    });
    process.stdout.write(`PostgreSQL: ${interrupted} of ${KILLS} kills came in the middle of the erasure\n`);
  }, 600_000);
});
