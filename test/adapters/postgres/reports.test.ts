import pg from "pg";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { ConnectionOptions } from "../../../adapters/postgres/connection.ts";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import type { NewEvent } from "../../../domain/events/event.ts";
import { Failure } from "../../../domain/failure.ts";
import type { FunnelQuestion } from "../../../domain/reports/funnel.ts";
import type { TrendQuestion } from "../../../domain/reports/trend.ts";
import type { Storage } from "../../../domain/storage.ts";
import { HOUR } from "../../../domain/time.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "./server.ts";

const AT = Date.parse("2026-11-22T10:00:00.000Z");
const LONG_ENOUGH = 60_000;
const WAITED_FOR = { timeout: 10_000, interval: 20 };

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres(bundledPostgres(), { fsync: "off" });
});
afterAll(() => server.remove());

const click: NewEvent = {
  event_type: "click",
  user_id: "ann",
  session_id: null,
  properties: null,
  created_at: AT,
  occurred_at: AT,
  message_key: null,
};

const question: TrendQuestion = {
  event_types: [],
  measure: "count",
  edges: [AT, AT + 1],
  where: [],
  limit: 10,
};
const answer = { source: "rollup", value: [{ event_type: null, total: 1, values: [1] }] };

interface Jam {
  readonly storage: Storage;
  /** The number of the storage's statements that are running on the server. */
  busy(): Promise<number>;
  /** Ends their connections. */
  disconnect(): Promise<void>;
  /** Unlocks the table. */
  clear(): Promise<void>;
}

/** A storage with one event whose reports wait for a table that another program has locked. */
async function jammed(options: ConnectionOptions, table = "events"): Promise<Jam> {
  const url = await server.newDatabase();
  const storage = await openPostgres(url, options);
  await storage.appendEvents([click]);
  const [holder, watcher] = [
    new pg.Client({ connectionString: url }),
    new pg.Client({ connectionString: url }),
  ];
  await Promise.all([holder.connect(), watcher.connect()]);
  onTestFinished(async () => {
    await Promise.all([holder.end(), watcher.end()]);
    await storage.close();
  });
  // The event is in the rollups already.
  const journal = async () =>
    (await watcher.query("select count(*)::int as rows from event_journal")).rows[0]?.rows;
  await expect.poll(journal, WAITED_FOR).toBe(0);
  await holder.query(`begin; lock table ${table} in access exclusive mode`);
  // A report begins with the state of the rollups, and then reads them. The background waits for the same lock at times.
  const ours = `from pg_stat_activity
    where datname = current_database() and application_name = 'analytics-server' and state = 'active'
      and (query like '%as has_timeless%' or query like '%from event_postings%')`;
  return {
    storage,
    busy: async () => (await watcher.query(`select count(*)::int as count ${ours}`)).rows[0]?.count,
    disconnect: async () => void (await watcher.query(`select pg_terminate_backend(pid) ${ours}`)),
    clear: async () => void (await holder.query("commit")),
  };
}

const failureOf = (act: Promise<unknown>): Promise<unknown> =>
  act.then(
    () => undefined,
    (error) => error,
  );

test("a report that takes too long is given up, here and on the server, and says what to ask instead", async () => {
  const { storage, busy, clear } = await jammed({ reportMs: 200, connections: 2 });
  const instead = "Ask for less.";
  for (const ask of [
    () => storage.trend(question, { instead }),
    () => storage.eventTypes({ instead }),
    () => storage.listEvents({ event_types: [], from: AT, to: AT + 1, where: [], limit: 1 }, { instead }),
  ]) {
    const failure = await failureOf(ask());
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({
      code: "unavailable",
      retryAfterSeconds: 60,
      message: "This took longer than the 0.2 s that a report may take. Ask for less.",
    });
  }
  await expect.poll(busy, WAITED_FOR).toBe(0);
  await clear();
  expect(await storage.trend(question)).toEqual(answer);
  expect(await storage.appendEvents([click])).toMatchObject([{ duplicate: false }]);
});

test("a report whose asker has gone is given up, here and on the server", async () => {
  const { storage, busy, clear } = await jammed({ reportMs: LONG_ENOUGH, connections: 2 });
  const asker = new AbortController();
  const failure = failureOf(storage.trend(question, { gone: asker.signal }));
  await expect.poll(busy, WAITED_FOR).toBe(1);
  asker.abort();
  expect(await failure).toMatchObject({
    code: "unavailable",
    message: "The report was stopped because its caller has gone.",
  });
  await expect.poll(busy, WAITED_FOR).toBe(0);
  await clear();
  expect(await storage.trend(question)).toEqual(answer);
});

const funnelOf = (window_ms: number): FunnelQuestion => ({
  steps: ["click", "buy"].map((event_type) => ({ event_type, where: [] })),
  order: "ordered",
  window_ms,
  from: AT,
  to: AT + 1,
  limit: 10,
});

test("two long reports run at once, the others wait, and short questions and everything else go on", async () => {
  const { storage, busy, clear } = await jammed({ reportMs: LONG_ENOUGH }, "event_postings");
  const reports = [1, 2, 3, 4, 5].map((window_ms) => storage.funnel(funnelOf(window_ms)));
  await expect.poll(busy, WAITED_FOR).toBe(2);
  await storage.check();
  expect(await storage.findExperiment(1)).toBeUndefined();
  const hour = { ...question, edges: [AT, AT + HOUR] };
  expect(await storage.trend(hour)).toEqual(answer);
  expect((await storage.eventTypes()).value).toMatchObject([{ event_type: "click", count: 1 }]);
  const page = { event_types: [], from: AT, to: AT + 1, where: [], limit: 1 };
  expect(await storage.listEvents(page)).toMatchObject([{ event_type: "click" }]);
  expect(await busy()).toBe(2);
  await clear();
  for (const { value } of await Promise.all(reports)) {
    expect(value.steps.map(({ users }) => users)).toEqual([1, 0]);
  }
});

test("the time that a report has waited for others is time it has taken", async () => {
  const reportMs = 1_000;
  const { storage } = await jammed({ reportMs });
  const started = performance.now();
  const reports = [1, 2, 3, 4, 5, 6].map((window_ms) => failureOf(storage.funnel(funnelOf(window_ms))));
  for (const failure of await Promise.all(reports)) expect(failure).toMatchObject({ retryAfterSeconds: 60 });
  // Two after two, they would have taken three times as long.
  expect(performance.now() - started).toBeLessThan(2.5 * reportMs);
});

test("a report whose connection is lost is made once more", async () => {
  const { storage, busy, disconnect, clear } = await jammed({ reportMs: LONG_ENOUGH });
  const report = storage.trend(question);
  await expect.poll(busy, WAITED_FOR).toBe(1);
  await disconnect();
  await clear();
  expect(await report).toEqual(answer);
});
