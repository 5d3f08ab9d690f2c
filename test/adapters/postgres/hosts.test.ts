import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { placeOf, urlsOf } from "../../../adapters/postgres/hosts.ts";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import type { Storage } from "../../../domain/storage.ts";
import { refusalOf } from "../../world.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "./server.ts";

test.each([
  ["postgres://db.example/a", ["postgres://db.example/a"]],
  ["postgres:///a", ["postgres:///a"]],
  [
    "postgresql://me:p%40ss,word@one:5433,[::1]:5434,three/a?sslmode=require",
    [
      "postgresql://me:p%40ss,word@one:5433/a?sslmode=require",
      "postgresql://me:p%40ss,word@[::1]:5434/a?sslmode=require",
      "postgresql://me:p%40ss,word@three/a?sslmode=require",
    ],
  ],
  ["postgres://one,/a", undefined],
  ["postgres://one:port/a", undefined],
  ["mysql://one/a", undefined],
])("the URL %s is one URL for each of its hosts", (url, urls) => {
  expect(urlsOf(url)).toEqual(urls);
});

test("the place of a database is told without user and password", () => {
  expect(placeOf("postgresql://me:secret@one:5433,two/a?password=secret")).toBe("postgres://one:5433,two/a");
});

const event = {
  event_type: "click",
  user_id: null,
  session_id: null,
  properties: null,
  created_at: 0,
  occurred_at: 0,
  message_key: null,
};

async function opened(url: string, patienceMs?: number): Promise<Storage> {
  const storage = await openPostgres(url, { patienceMs });
  onTestFinished(() => storage.close());
  return storage;
}

/** The URL of a database with several hosts in place of its own. */
function withHosts(url: string, ...servers: readonly string[]): string {
  const hosts = servers.map((server) => new URL(server).host).join(",");
  return url.replace(new URL(url).host, hosts);
}

const NOWHERE = "postgres://127.0.0.1:1";

describe("with a primary and a standby", () => {
  let primary: PostgresServer;
  let standby: PostgresServer;
  let url: string;
  beforeAll(async () => {
    primary = await startPostgres(bundledPostgres(), { fsync: "off" });
    url = await primary.newDatabase();
    await (await openPostgres(url)).close();
    await primary.halt();
    standby = await startPostgres(bundledPostgres(), { fsync: "off", hot_standby: "on" }, primary.data);
    await primary.start();
  });
  afterAll(async () => void (await Promise.all([primary.remove(), standby.remove()])));

  test("a standby alone can be read, refuses writes as unavailable, and its health says read-only", async () => {
    const storage = await opened(withHosts(url, standby.url), 100);
    expect(await storage.check()).toMatchObject({ state: "read-only" });
    expect(await storage.listExperiments({ limit: 9 })).toEqual([]);
    expect(await refusalOf(storage.appendEvents([event]))).toMatchObject({ code: "unavailable" });
  });

  test("a database that is set to read only says so in its health", async () => {
    const own = await primary.newDatabase();
    await (await openPostgres(own)).close();
    const client = new pg.Client({ connectionString: own });
    await client.connect();
    const name = new URL(own).pathname.slice(1);
    await client
      .query(`alter database ${name} set default_transaction_read_only = on`)
      .finally(() => client.end());
    const storage = await opened(own, 100);
    expect(await storage.check()).toMatchObject({ state: "read-only" });
  });

  test("of several hosts the one that takes writes is used, whatever its place in the list", async () => {
    for (const hosts of [
      [standby.url, primary.url],
      [primary.url, standby.url],
      [NOWHERE, standby.url, primary.url],
    ]) {
      const storage = await opened(withHosts(url, ...hosts));
      expect(await storage.check()).toEqual({ state: "ok", erasuresWaiting: 0 });
      expect(await storage.appendEvents([event])).toMatchObject([{ duplicate: false }]);
    }
  });

  test("when the primary goes away and the standby is promoted, writes go on there", async () => {
    const storage = await opened(withHosts(url, primary.url, standby.url));
    await storage.appendEvents([event]);
    await primary.halt();
    const client = new pg.Client({ connectionString: withHosts(url, standby.url) });
    await client.connect();
    await client.query("select pg_promote(true)").finally(() => client.end());
    expect(await storage.appendEvents([event])).toMatchObject([{ duplicate: false }]);
    expect(await storage.check()).toEqual({ state: "ok", erasuresWaiting: 0 });
    await primary.start();
  });
});
