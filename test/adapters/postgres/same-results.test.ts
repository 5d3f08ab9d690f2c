import { afterAll, beforeAll, expect, test } from "vitest";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import type { Storage } from "../../../domain/storage.ts";
import { expectAlike, fillWithSample, shownOf } from "./sample.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "./server.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres(bundledPostgres(), { fsync: "off" });
});
afterAll(() => server.remove());

async function resultsOf(storage: Storage) {
  const experiment = await fillWithSample(storage);
  const first = await shownOf(storage, experiment);
  await storage.keepLooks(experiment.id, first.looks);
  const again = await shownOf(storage, experiment);
  await storage.close();
  return { first, again };
}

test("the same data have the same results, verdict and timeline on SQLite and on PostgreSQL, to 1e-12", async () => {
  const sqlite = await resultsOf(openSqlite(":memory:"));
  const postgres = await resultsOf(await openPostgres(await server.newDatabase()));
  expect(sqlite.first.results.results[0]?.metrics.map(({ metric_name }) => metric_name)).toEqual([
    "revenue",
    "buy",
    "clicks",
    "spent",
  ]);
  expectAlike(postgres, sqlite);
});
