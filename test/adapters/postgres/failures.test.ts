import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import pg from "pg";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { poolConfig } from "../../../adapters/postgres/connection.ts";
import { migrations } from "../../../adapters/postgres/migrations.ts";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import type { NewEvent } from "../../../domain/events/event.ts";
import { ExperimentInput, newExperiment } from "../../../domain/experiments/experiment.ts";
import { Failure } from "../../../domain/failure.ts";
import type { Storage } from "../../../domain/storage.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "./server.ts";

const AT = Date.parse("2026-11-22T10:00:00.000Z");

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

async function opened(url: string, patienceMs?: number): Promise<Storage> {
  const storage = await openPostgres(url, { patienceMs });
  onTestFinished(() => storage.close());
  return storage;
}

async function rowsOf(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return (await client.query(text).finally(() => client.end())).rows;
}

const failureOf = (act: Promise<unknown>): Promise<unknown> =>
  act.then(
    () => undefined,
    (error) => error,
  );

/** A way to the server that can lose what the server answers. */
async function startProxy(url: string) {
  const { port, hostname } = new URL(url);
  let losing = false;
  const sockets = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
    }
    near.pipe(far);
    far.on("data", (answer) => {
      if (!losing) near.write(answer);
      else for (const socket of [near, far]) socket.destroy();
      losing = false;
    });
    far.on("end", () => near.end());
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const address = new URL(url);
  address.port = String((proxy.address() as AddressInfo).port);
  return {
    url: address.href,
    loseNextAnswer: () => {
      losing = true;
    },
  };
}

test("an event without a message id is stored once, though the answer of its commit is lost on the way", async () => {
  const url = await server.newDatabase();
  const proxy = await startProxy(url);
  const storage = await opened(proxy.url);
  await storage.appendEvents([click]);
  proxy.loseNextAnswer();
  const [lost] = await storage.appendEvents([click]);
  expect(lost.duplicate).toBe(false);
  expect(await rowsOf(url, "select id from events order by id")).toEqual([
    { id: "1" },
    { id: String(lost.id) },
  ]);
});

test("a value without a message id is stored and counted once, though the answer of its commit is lost", async () => {
  const url = await server.newDatabase();
  const proxy = await startProxy(url);
  const storage = await opened(proxy.url);
  const input = { test_name: "t", variants: [{ variant_name: "red" }, { variant_name: "blue" }] };
  const experiment = await storage.createExperiment(newExperiment(ExperimentInput.parse(input), "salt", AT));
  const { id = 0, variants: [red] = [] } = experiment ?? {};
  await storage.assign(id, [{ user_id: "ann", variant_id: red?.id ?? 0, assigned_at: AT }]);
  const value = { ...click, user_id: "ann", metric_name: "revenue", value: 2 };
  await storage.appendMetrics(id, [value]);
  proxy.loseNextAnswer();
  const [lost] = await storage.appendMetrics(id, [value]);
  expect(lost).toMatchObject({ kind: "stored", duplicate: false });
  const { cells = [] } = (await storage.experimentCells(id)) ?? {};
  expect(cells.map(({ users, metrics }) => [users, metrics[0]?.count, metrics[0]?.y.high])).toEqual([
    [1, 2, 4],
  ]);
});

test("an event is counted for an experiment that another process has only just created", async () => {
  const url = await server.newDatabase();
  const [one, other] = [await opened(url), await opened(url)];
  // It has read what there is to count.
  await one.appendEvents([click]);
  const metrics = [{ metric_name: "clicks", event_type: "click" }];
  const input = { test_name: "t", variants: [{ variant_name: "red" }, { variant_name: "blue" }], metrics };
  const experiment = await other.createExperiment(newExperiment(ExperimentInput.parse(input), "salt", AT));
  const { id = 0, variants: [red] = [] } = experiment ?? {};
  await other.assign(id, [{ user_id: "ann", variant_id: red?.id ?? 0, assigned_at: AT }]);
  await one.appendEvents([click, click]);
  const { cells = [] } = (await other.experimentCells(id)) ?? {};
  expect(cells.map(({ users, metrics }) => [users, metrics[0]?.metric_name, metrics[0]?.count])).toEqual([
    [1, "clicks", 2],
  ]);
});

test("while the server is away every call is refused as unavailable, and once it is back it is served", async () => {
  const away = await startPostgres(bundledPostgres(), { fsync: "off" });
  onTestFinished(away.remove);
  const storage = await opened(await away.newDatabase(), 300);
  await storage.check();
  await away.halt();
  const acts = [
    storage.appendEvents([click]),
    storage.findExperiment(1),
    storage.eventTypes(),
    storage.check(),
  ];
  for (const failure of await Promise.all(acts.map(failureOf))) {
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ code: "unavailable", retryAfterSeconds: 1 });
  }
  await away.start();
  await storage.check();
  expect(await storage.appendEvents([click])).toMatchObject([{ duplicate: false }]);
});

test("a database of a newer version is refused, and left as it is", async () => {
  const url = await server.newDatabase();
  await (await openPostgres(url)).close();
  await rowsOf(url, "insert into migrations(name) values ('9999_from_the_future')");
  const refused = await failureOf(openPostgres(url));
  expect(refused).toMatchObject({ name: "UnusableDatabase" });
  expect(String(refused)).toContain("9999_from_the_future");
});

test("a database that cannot be reached is named without its password", async () => {
  const refused = await failureOf(openPostgres("postgres://me:secret@127.0.0.1:1/none", { patienceMs: 0 }));
  expect(String(refused)).toContain(
    "ANALYTICS_DATABASE names postgres://127.0.0.1:1/none, which cannot be used",
  );
  expect(String(refused)).not.toContain("secret");
});

test("ten processes that open an empty database at once make its tables once", async () => {
  const url = await server.newDatabase();
  const storages = await Promise.all(Array.from({ length: 10 }, () => openPostgres(url, { connections: 1 })));
  await Promise.all(storages.map((storage) => storage.close()));
  expect(await rowsOf(url, "select count(*)::int as count from migrations")).toEqual([
    { count: migrations.length },
  ]);
});

test.each<[string, unknown]>([
  ["postgres://localhost/a", false],
  ["postgres://127.0.0.1:5432/a?sslmode=disable", false],
  ["postgres://db.example/a?sslmode=disable", false],
  ["postgres://db.example/a", { ca: "PEM" }],
  ["postgres://db.example/a?sslmode=verify-full", { ca: "PEM" }],
  ["postgres://db.example/a?sslmode=verify-ca", { ca: "PEM", checkServerIdentity: expect.any(Function) }],
  ["postgres://db.example/a?sslmode=require", { rejectUnauthorized: false }],
])("%s is spoken to with %j as its TLS", (url, ssl) => {
  const config = poolConfig(url, { ca: "PEM" });
  expect(config.ssl).toEqual(ssl);
  expect(config.connectionString).not.toContain("sslmode");
});

test("a mode of TLS that is none is refused by name", () => {
  expect(() => poolConfig("postgres://db.example/a?sslmode=perhaps", {})).toThrow("sslmode must be");
});
