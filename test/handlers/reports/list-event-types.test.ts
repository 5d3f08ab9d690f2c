import { expect, test } from "vitest";
import { listEventTypes } from "../../../handlers/reports/list-event-types.ts";
import { call, faultPathsOf, MINUTE, openEdge, openWorld } from "../../world.ts";
import { META, track } from "../experiments/tracked.ts";

const NOON = "2026-11-20T12:00:00.000Z";
const ARRIVAL = "2026-11-22T10:00:00.000Z";

test("without events the list of types is empty", async () => {
  expect(await call(listEventTypes, openWorld())).toStrictEqual({
    outcome: "ok",
    body: { types: [], total_types: 0, meta: META },
  });
});

test("types are listed with their properties and value types, most frequent first", async () => {
  const world = openWorld();
  await track(
    world,
    { event_type: "visit" },
    { event_type: "signup", properties: { plan: "pro", size: 1 }, timestamp: NOON },
    { event_type: "signup", properties: { plan: null, tags: [] } },
    { event_type: "signup", properties: { plan: "free", of: {}, is_new: true } },
  );
  const property = (name: string, count: number, value_types: object) => ({ name, count, value_types });
  const { body } = await call(listEventTypes, world);
  expect(body).toStrictEqual({
    types: [
      {
        event_type: "signup",
        count: 3,
        first_seen: NOON,
        last_seen: ARRIVAL,
        properties: [
          property("plan", 3, { string: 2, null: 1 }),
          property("is_new", 1, { boolean: 1 }),
          property("of", 1, { object: 1 }),
          property("size", 1, { number: 1 }),
          property("tags", 1, { array: 1 }),
        ],
        total_properties: 5,
        may_have_more_properties: false,
      },
      {
        event_type: "visit",
        count: 1,
        first_seen: ARRIVAL,
        last_seen: ARRIVAL,
        properties: [],
        total_properties: 0,
        may_have_more_properties: false,
      },
    ],
    total_types: 2,
    meta: META,
  });
});

test("?limit= shows the most frequent types and the total number", async () => {
  const world = openWorld();
  await track(world, ...["b", "a", "c", "c"].map((event_type) => ({ event_type })));
  const { body } = await call(listEventTypes, world, { query: { limit: "2" } });
  expect([body.types.map(({ event_type }) => event_type), body.total_types]).toEqual([["c", "a"], 3]);
});

test("at most 255 properties of a type are shown, with the total number", async () => {
  const world = openWorld();
  const properties = (from: number) =>
    Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`property ${from + n}`, n]));
  await track(
    world,
    { event_type: "wide", properties: properties(0) },
    { event_type: "wide", properties: properties(200) },
  );
  const { types } = (await call(listEventTypes, world)).body;
  expect(types[0]?.properties).toHaveLength(255);
  expect(types[0]?.total_properties).toBe(400);
});

test("the answer states the age of the data, and with ?verify=1 that a second answer is equal", async () => {
  const { world, send } = openEdge();
  await track(world, { event_type: "visit", properties: { plan: "pro" } });
  world.advance(MINUTE);
  const { body } = await send({ path: "/apiv1/events/types?verify=1" });
  const { meta } = body as { meta: { data_through: string; source: string; verification?: unknown } };
  expect(meta.data_through).toBe("2026-11-22T10:01:00.000Z");
  if (meta.source === "rollup") expect(meta.verification).toEqual({ ok: true, differences: [] });
});

test.each<[string, object, string]>([
  ["a limit of 0", { limit: "0" }, "limit"],
  ["a limit of 2,001", { limit: "2001" }, "limit"],
  ["an unknown parameter", { from: "2026-11-22" }, "from"],
  ["an invalid flag", { verify: "yes" }, "verify"],
])("a query with %s is refused with the path", async (_name, query, path) => {
  expect(await faultPathsOf(call(listEventTypes, openWorld(), { query }))).toEqual(["invalid", path]);
});
