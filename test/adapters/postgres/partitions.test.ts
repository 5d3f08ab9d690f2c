import pg from "pg";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import { refusalOf } from "../../world.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "./server.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres(bundledPostgres(), { fsync: "off" });
});
afterAll(() => server.remove());

const event = {
  event_type: "click",
  user_id: null,
  session_id: null,
  properties: null,
  created_at: 0,
  occurred_at: 0,
  message_key: null,
};

// As docs/operations.md describes it, with partitions that are small enough for a test.
const CUT = `
  alter table events rename to events_before;
  create table events (like events_before including defaults) partition by range (id);
  create unique index on events(id);
  create index on events(occurred_at, id);
  create index on events(id) where not journaled;
  alter table events attach partition events_before for values from (minvalue) to (2000);
  create table events_2 partition of events for values from (2000) to (1000000);`;

async function openCut() {
  const url = await server.newDatabase();
  const storage = await openPostgres(url);
  onTestFinished(() => storage.close());
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query(CUT);
  return { storage, client };
}

test("after a partition was detached, a process with ids of that partition takes others", async () => {
  const { storage, client } = await openCut();
  const [first] = await storage.appendEvents([event]);
  expect(first.id).toBeLessThan(2_000);
  // Another process has taken the ids up to the next partition.
  await client.query("select setval('event_ids', 2000, false)");
  await client.query("alter table events detach partition events_before");
  const answers = await Promise.all(Array.from({ length: 20 }, () => storage.appendEvents([event])));
  const ids = answers.map(([{ id }]) => id);
  expect(new Set(ids).size).toBe(20);
  expect(Math.min(...ids)).toBeGreaterThanOrEqual(2_000);
});

test("where no partition is left for new events they are refused as unavailable, so that clients keep them", async () => {
  const { storage, client } = await openCut();
  await client.query("drop table events_2");
  await client.query("alter table events detach partition events_before");
  expect(await refusalOf(storage.appendEvents([event]))).toMatchObject({ code: "unavailable" });
});
