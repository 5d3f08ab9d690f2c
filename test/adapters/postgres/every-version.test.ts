import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrations } from "../../../adapters/postgres/migrations.ts";
import { verifyDatabase } from "../../../adapters/postgres/reports/verification.ts";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import { expectToServe, ROWS_OF_EVERY_VERSION, VERSIONS_WITHOUT_CELLS } from "../upgrade-contract.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "./server.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres(bundledPostgres(), { fsync: "off" });
});
afterAll(() => server.remove());

/** The ids of the rows were given by hand: those that the database gives begin above them. */
const SEQUENCES = ["ab_tests", "ab_variants", "ab_assignments"]
  .map((table) => `select setval('${table}_id_seq', 100);`)
  .join("\n");
const BLOCKS = "select setval('event_ids', 1001); select setval('metric_ids', 1001);";

const versions = migrations.map(({ name }, index) => ({ name, steps: migrations.slice(0, index + 1) }));

test.each(versions)("a database of the version $name is upgraded, served and right", async ({ steps }) => {
  const url = await server.newDatabase();
  const client = new pg.Client(url);
  await client.connect();
  const query = async <R>(text: string, values: readonly unknown[] = []): Promise<R[]> =>
    (await client.query(text, [...values])).rows;
  await query(
    "create table migrations(name text primary key, applied_at timestamptz not null default now())",
  );
  const insertRows = () => query(ROWS_OF_EVERY_VERSION + SEQUENCES + BLOCKS);
  for (const [index, { name, sql, after }] of steps.entries()) {
    if (index === VERSIONS_WITHOUT_CELLS) await insertRows();
    await query(sql);
    await after?.(query);
    await query("insert into migrations(name) values ($1)", [name]);
  }
  if (steps.length <= VERSIONS_WITHOUT_CELLS) await insertRows();
  await client.end();

  const storage = await openPostgres(url);
  await expectToServe(storage);
  await storage.eventTypes();
  await storage.close();
  expect(await verifyDatabase(url, {}, () => {})).toMatchObject({ events: 3, all: 0 });
});
