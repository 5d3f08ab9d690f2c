import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import type { Scalar } from "../../../domain/reports/condition.ts";
import type { TrendQuestion } from "../../../domain/reports/trend.ts";
import type { Storage } from "../../../domain/storage.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "./server.ts";

const AT = Date.parse("2026-11-22T10:00:00.000Z");

// Texts that this server writes, and others that only another program does. The number of each is its id.
const TEXTS = [
  '{"plan":"pro"}',
  '{ "pl\\u0061n" : "\\u0070ro" }',
  '{"plan":"free","plan":"pro"}',
  '{"plan":"pro","note":"\\u0000 and half a pair \\ud800"}',
  '{"plan":5}',
  '{"plan":5.0}',
  '{"plan":50e-1}',
  '{"plan":"5"}',
  '{"100% a_b\\\\c":"it\'s \\"100%\\""}',
  '{"100x aXb\\\\c":"it\'s \\"100x\\""}',
  '["plan","pro"]',
  '"plan"',
  '{"plan":"pro"',
  "plan=pro",
  "",
  '{"plan":{"plan":"pro"}}',
  '{"PLAN":"pro"}',
  null,
];

let server: PostgresServer;
let storage: Storage;
beforeAll(async () => {
  server = await startPostgres(bundledPostgres(), { fsync: "off" });
  const url = await server.newDatabase();
  storage = await openPostgres(url);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    `insert into events(id, event_type, user_id, properties, occurred_at)
     select turn, 'view', 'ann', properties, $2 from unnest($1::text[]) with ordinality as t(properties, turn)`,
    [TEXTS, AT],
  );
  // As a program does that knows the specified columns alone: the time of the event is that of its creation.
  await client.query("insert into events(id, event_type) values (1000, 'view')");
  await client.end();
});
afterAll(async () => {
  await storage.close();
  await server.remove();
});

test.each<[string, readonly Scalar[], readonly number[]]>([
  ["plan", ["pro"], [1, 2, 3, 4]],
  ["plan", [5], [5, 6, 7]],
  ["plan", ["5"], [8]],
  ["plan", ["5", 5], [5, 6, 7, 8]],
  ["100% a_b\\c", ['it\'s "100%"'], [9]],
  ["PLAN", ["pro"], [17]],
  ["pla_", ["pro"], []],
])(
  "the events whose %s is one of %j are those that JavaScript reads it from",
  async (property, values, ids) => {
    const where = [{ property, values }];
    const found = await storage.listEvents({ event_types: [], from: AT, to: AT + 1, where, limit: 100 });
    expect(found.map(({ id }) => id)).toEqual(ids.toReversed());
    const trend: TrendQuestion = { event_types: [], measure: "count", edges: [AT, AT + 1], where, limit: 10 };
    const value = [{ event_type: null, total: ids.length, values: [ids.length] }];
    expect(await storage.trend(trend, { verify: true })).toEqual({
      source: "rollup",
      value,
      recomputed: value,
    });
  },
);

test("a breakdown and the types contain whatever JavaScript reads from the properties", async () => {
  const trend: TrendQuestion = {
    event_types: ["view"],
    measure: "count",
    edges: [AT, AT + 1],
    where: [],
    breakdown: "plan",
    limit: 3,
  };
  const { value } = await storage.trend(trend);
  const series = (group: unknown, total: number) => ({ event_type: "view", group, total, values: [total] });
  expect(value).toEqual([
    series({ kind: "none" }, 10),
    series({ kind: "value", value: "pro" }, 4),
    series({ kind: "value", value: 5 }, 3),
    series({ kind: "other" }, 1),
  ]);
  expect((await storage.eventTypes()).value).toEqual([
    {
      event_type: "view",
      count: 19,
      first_seen: AT,
      last_seen: expect.any(Number),
      properties: [
        { name: "plan", value_types: { string: 5, number: 3, object: 1 } },
        { name: "100% a_b\\c", value_types: { string: 1 } },
        { name: "100x aXb\\c", value_types: { string: 1 } },
        { name: "PLAN", value_types: { string: 1 } },
        { name: "note", value_types: { string: 1 } },
      ],
      may_have_more_properties: false,
    },
  ]);
});
