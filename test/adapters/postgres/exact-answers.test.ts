import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import type { NewEvent } from "../../../domain/events/event.ts";
import type { Storage } from "../../../domain/storage.ts";
import { HOUR } from "../../../domain/time.ts";
import { AT, eventAt } from "../question-stories/asked.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "./server.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres(bundledPostgres(), { fsync: "off", max_connections: "100" });
});
afterAll(() => server.remove());

const WRITERS = 4;
const BATCHES = 60;

/** Numerical Recipes' linear congruential generator: the same numbers in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

const eventOf = (next: (below: number) => number): NewEvent =>
  eventAt(next(300), ["view", "cart", "buy"][next(3)] ?? "view", {
    user_id: next(10) === 0 ? null : `user ${next(50)}`,
    properties: JSON.stringify({ plan: ["pro", "free", next(2_000)][next(3)] }),
  });

/** Appends batches; the number of events that were acknowledged. */
async function write(storage: Storage, seed: number): Promise<number> {
  const next = numbers(seed);
  let stored = 0;
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const events = Array.from({ length: 1 + next(60) }, () => eventOf(next));
    stored += (await storage.appendEvents(events)).length;
  }
  return stored;
}

// The effect of the storing statement, in a transaction that takes its time.
const STORE = `
  with stored as (
    insert into events(event_type, user_id, occurred_at, journaled)
    select 'slow', 'user ' || n, ${AT} + 60000 * n, true from generate_series(1, 5) as n returning id
  )
  insert into event_journal(first_id, ids, events) select min(id), array_agg(id), count(*) from stored`;

/** Commits half of its transactions, long after it has taken the ids; the number of events that were committed. */
async function writeSlowly(client: pg.Client, seed: number, isOver: () => boolean): Promise<number> {
  const next = numbers(seed);
  let stored = 0;
  while (!isOver()) {
    await client.query(`begin; ${STORE}`);
    await sleep(next(60));
    const commits = next(2) === 0;
    await client.query(commits ? "commit" : "rollback");
    if (commits) stored += 5;
  }
  return stored;
}

/** Ends connections of the storages at random, most of them in the middle of a build. */
async function kill(client: pg.Client, isOver: () => boolean): Promise<number> {
  let killed = 0;
  while (!isOver()) {
    const { rows } = await client.query(`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'analytics-server' and datname = current_database() and xact_start is not null
        and (query like '%event_postings%' or query like '%event_journal%' or random() < 0.05)
      limit 1`);
    killed += rows.length;
    await sleep(15);
  }
  return killed;
}

/** Asks for snapshots while events are stored; each is exact, whatever has been built of it. */
async function ask(storage: Storage, isOver: () => boolean): Promise<number> {
  const trend = { event_types: [], edges: [AT, AT + HOUR, AT + 5 * HOUR], where: [], limit: 5 };
  const steps = ["view", "buy"].map((event_type) => ({ event_type, where: [] }));
  const range = { from: AT, to: AT + 5 * HOUR };
  let asked = 0;
  while (!isOver()) {
    const verify = { verify: true };
    const answers = [
      await storage.trend({ ...trend, measure: "users" }, verify),
      await storage.trend({ ...trend, measure: "count", breakdown: "plan" }, verify),
      await storage.eventTypes(verify),
      await storage.funnel({ ...range, steps, order: "ordered", window_ms: HOUR, limit: 5 }, verify),
    ];
    for (const { source, value, recomputed } of answers) {
      if (source === "rollup") asked += 1;
      expect(value).toEqual(recomputed);
    }
  }
  return asked;
}

test("four writers, aborted transactions and builds that are killed leave every snapshot exact", async () => {
  const url = await server.newDatabase();
  const storages = await Promise.all(
    Array.from({ length: WRITERS }, () => openPostgres(url, { connections: 4 })),
  );
  const asking = await openPostgres(url);
  onTestFinished(async () => {
    await Promise.all([...storages, asking].map((storage) => storage.close()));
  });
  const [slow, slower, killer] = [await connected(url), await connected(url), await connected(url)];
  let over = false;
  const isOver = (): boolean => over;
  const meanwhile = [
    writeSlowly(slow, 11, isOver),
    writeSlowly(slower, 12, isOver),
    kill(killer, isOver),
    ask(asking, isOver),
    ask(asking, isOver),
  ];
  const writing = Promise.all(storages.map((storage, index) => write(storage, index + 1)));
  const stored = await writing.finally(() => {
    over = true;
  });
  const [slowly = 0, slowest = 0, killed = 0, asked = 0] = await Promise.all(meanwhile);
  const all = stored.reduce((sum, count) => sum + count, slowly + slowest);
  const { source, value, recomputed } = await asking.eventTypes({ verify: true });
  expect(source).toBe("rollup");
  expect(value).toEqual(recomputed);
  expect(value.reduce((sum, { count }) => sum + count, 0)).toBe(all);
  expect([killed > 0, asked > 0]).toEqual([true, true]);
  // Everything is built in the end, without a further question.
  const journal = async () =>
    (await killer.query("select count(*)::int as rows from event_journal")).rows[0]?.rows;
  await expect.poll(journal, { timeout: 20_000 }).toBe(0);
  const built = await asking.eventTypes({ verify: true });
  expect(built).toEqual({ source: "rollup", value, recomputed: value });
});
