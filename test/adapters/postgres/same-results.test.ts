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

async function shownBy(storage: Storage) {
  const shown = await shownOf(storage, await fillWithSample(storage));
  await storage.close();
  return shown;
}

test("the same data have the same results, verdict and timeline on SQLite and on PostgreSQL, to 1e-12", async () => {
  const sqlite = await shownBy(openSqlite(":memory:"));
  const postgres = await shownBy(await openPostgres(await server.newDatabase()));
  expect(sqlite.results.results[0]?.metrics.map(({ metric_name }) => metric_name)).toEqual([
    "revenue",
    "buy",
    "clicks",
    "spent",
  ]);
  expectAlike(postgres, sqlite);
});
