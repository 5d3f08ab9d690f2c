import pg from "pg";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openPostgres, type PostgresOptions } from "../../../adapters/postgres/storage.ts";
import type { Storage } from "../../../domain/storage.ts";
import { HOUR } from "../../../domain/time.ts";
import { AT, eventAt } from "../question-stories/asked.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "./server.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres(bundledPostgres(), { fsync: "off" });
});
afterAll(() => server.remove());

const EVENTS = 20_000;
const WAITED_FOR = { timeout: 20_000, interval: 20 };

// The schema as it was before there were rollups, with events of that time; one is another program's, without its time.
const BEFORE = `
  delete from migrations where name in ('0009_rollup_format', '0016_visitor_builds');
  drop table event_rollup, event_users, event_types, event_properties, event_values, event_hours, event_value_hours,
    event_visitors, event_postings, event_journal;
  drop index events_occurred_at;
  alter table events drop column journaled;
  insert into events(id, event_type, user_id, properties, occurred_at, created_at)
    select n, case n % 3 when 0 then 'view' else 'cart' end, 'user ' || n % 700, '{"plan":"pro"}', ${AT} + n, now()
    from generate_series(1, ${EVENTS} - 1) as n;
  insert into events(id, event_type, created_at) values (${EVENTS}, 'late', '2026-11-22T10:30:00Z');
  select setval('event_ids', ${EVENTS} + 1000, false);`;

interface Upgraded {
  readonly url: string;
  readonly client: pg.Client;
  open(options?: PostgresOptions): Promise<Storage>;
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** A database of before, ready to be upgraded. */
async function databaseOfBefore(): Promise<Upgraded> {
  const url = await server.newDatabase();
  await (await openPostgres(url)).close();
  const client = await connected(url);
  await client.query(BEFORE);
  const open = async (options?: PostgresOptions): Promise<Storage> => {
    const storage = await openPostgres(url, options);
    onTestFinished(() => storage.close());
    return storage;
  };
  return { url, client, open };
}

const page = { event_types: ["foreign"], from: AT, to: AT + HOUR, where: [], limit: 1 };
const hour = { event_types: [], measure: "users" as const, edges: [AT, AT + HOUR], where: [], limit: 1 };

const isRebuilt = (storage: Storage) =>
  expect.poll(async () => (await storage.check()).rebuild, WAITED_FOR).toBeUndefined();

async function expectExact(storage: Storage, events: number): Promise<void> {
  const trend = await storage.trend(hour, { verify: true });
  expect(trend.source).toBe("rollup");
  expect(trend.value).toEqual(trend.recomputed);
  const { value, recomputed } = await storage.eventTypes({ verify: true });
  expect(value).toEqual(recomputed);
  expect(value.reduce((sum, { count }) => sum + count, 0)).toBe(events);
}

test("two processes upgrade a database at once, store events meanwhile, and add all events to the rollups once", async () => {
  const { open } = await databaseOfBefore();
  const storages = await Promise.all([open(), open()]);
  await Promise.all(storages.map((storage, n) => storage.appendEvents([eventAt(n, "view")])));
  for (const storage of storages) await isRebuilt(storage);
  await Promise.all(storages.map((storage, n) => storage.appendEvents([eventAt(n, "view")])));
  for (const storage of storages) await expectExact(storage, EVENTS + 4);
});

test("while the rollups are rebuilt, questions are answered from the events and say so", async () => {
  const { url, client, open } = await databaseOfBefore();
  const storage = await open();
  await isRebuilt(storage);
  // The builds wait for the row that holds the state; a new format makes its rollups those of no version.
  const holder = client;
  await holder.query("begin; update event_rollup set format = 0, backfilled = 5000; commit");
  await holder.query("begin; select from event_rollup for update");
  const { source, value } = await storage.trend(hour);
  expect([source, value]).toEqual(["raw", [{ event_type: null, total: 700, values: [700] }]]);
  expect((await storage.check()).rebuild).toEqual({ done: 5_000, total: EVENTS });
  // Another program's event has no time yet, and is found nevertheless.
  const other = await connected(url);
  await other.query("insert into events(event_type, created_at) values ('foreign', '2026-11-22T10:30:00Z')");
  const [{ event_type, occurred_at } = {}] = await storage.listEvents(page);
  expect([event_type, occurred_at]).toEqual(["foreign", AT + HOUR / 2]);
  await holder.query("commit");
  await storage.appendEvents([eventAt(0, "view")]);
  await expect.poll(async () => (await storage.trend(hour)).source, WAITED_FOR).toBe("rollup");
  await expectExact(storage, EVENTS + 2);
});

test("an upgrade that waits for a long report of an older process lets events be stored meanwhile", async () => {
  const { url, client, open } = await databaseOfBefore();
  const report = await connected(url);
  await report.query("begin; select count(*) from events");
  const opening = open();
  await client.query("set statement_timeout = '10s'");
  for (let turn = 0; turn < 20; turn += 1) {
    await client.query(
      `insert into events(event_type, user_id, occurred_at) values ('older', 'ann', ${AT} + ${turn})`,
    );
  }
  await report.query("commit");
  const storage = await opening;
  await isRebuilt(storage);
  await expectExact(storage, EVENTS + 20);
});

const VALID = `
  select c.relname as name, i.indisvalid as valid from pg_index i join pg_class c on c.oid = i.indexrelid
  where c.relname in ('events_occurred_at', 'events_not_journaled') order by name`;
const BOTH_VALID = ["events_not_journaled", "events_occurred_at"].map((name) => ({ name, valid: true }));

test("indexes over existing events are created in the background, and made again where that was interrupted", async () => {
  const { url, client, open } = await databaseOfBefore();
  const storage = await openPostgres(url);
  const state = async () => (await client.query(VALID)).rows;
  await expect.poll(state, WAITED_FOR).toEqual(BOTH_VALID);
  await storage.close();
  await client.query(
    "update pg_index set indisvalid = false where indexrelid = 'events_occurred_at'::regclass",
  );
  const again = await Promise.all([open(), open()]);
  await expect.poll(state, WAITED_FOR).toEqual(BOTH_VALID);
  for (const one of again) await isRebuilt(one);
  for (const one of again) await expectExact(one, EVENTS);
});
