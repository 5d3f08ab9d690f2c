import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { VisitorCache } from "../../../adapters/postgres/reports/visitor-cache.ts";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import { HOUR } from "../../../domain/time.ts";
import { AT, eventAt } from "../question-stories/asked.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "./server.ts";

const row = (hour: number, bytes: number, build = 1) => ({
  type_id: 0,
  hour,
  part: 0,
  build,
  users: new Uint8Array(bytes),
});

describe("a cache of sets of users", () => {
  test("has a row of the same build only", () => {
    const cache = new VisitorCache();
    cache.add(row(7, 10, 1));
    expect(cache.get(row(7, 0, 1))).toEqual(row(7, 10, 1));
    expect(cache.get(row(7, 0, 2))).toBeUndefined();
    expect(cache.get(row(8, 0, 1))).toBeUndefined();
  });

  test("drops what was not used for longest when it is full", () => {
    const cache = new VisitorCache(10_000);
    for (const hour of [1, 2, 3]) cache.add(row(hour, 3_000));
    cache.get(row(1, 0));
    cache.add(row(4, 3_000));
    const kept = [1, 2, 3, 4].filter((hour) => cache.get(row(hour, 0)) !== undefined);
    expect(kept).toEqual([1, 3, 4]);
  });

  test("counts a row that replaces another one once", () => {
    const cache = new VisitorCache(10_000);
    cache.add(row(1, 3_000));
    for (const build of [1, 2, 3, 4, 5]) cache.add(row(2, 3_000, build));
    expect(cache.get(row(1, 0))).toEqual(row(1, 3_000));
    expect(cache.get(row(2, 0, 5))).toEqual(row(2, 3_000, 5));
  });

  test("does not keep a row that is larger than itself", () => {
    const cache = new VisitorCache(10_000);
    cache.add(row(1, 20_000));
    expect(cache.get(row(1, 0))).toBeUndefined();
  });
});

describe("reports about users on PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres(bundledPostgres(), { fsync: "off" });
  });
  afterAll(() => server.remove());

  test("read the users of an hour again only after a build has changed them", async () => {
    const url = await server.newDatabase();
    const storage = await openPostgres(url);
    onTestFinished(() => storage.close());
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    onTestFinished(() => client.end());
    const isBuilt = () =>
      expect
        .poll(async () => (await client.query("select from event_journal")).rowCount, { timeout: 10_000 })
        .toBe(0);
    const question = {
      event_types: [],
      measure: "users" as const,
      edges: [AT, AT + HOUR],
      where: [],
      limit: 1,
    };
    const users = async () => (await storage.trend(question)).value[0]?.total;

    await storage.appendEvents([1, 2, 3].map((n) => ({ ...eventAt(n, "view"), user_id: `user ${n}` })));
    await isBuilt();
    expect(await users()).toBe(3);

    await storage.appendEvents([{ ...eventAt(4, "view"), user_id: "user 4" }]);
    await isBuilt();
    expect(await users()).toBe(4);

    await client.query("update event_visitors set users = ''");
    expect(await users()).toBe(4);
    await client.query("update event_visitors set build = build - 1");
    expect(await users()).toBe(0);
  });
});
