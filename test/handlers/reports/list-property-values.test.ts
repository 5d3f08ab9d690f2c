import { describe, expect, test } from "vitest";
import { listPropertyValues } from "../../../handlers/reports/list-property-values.ts";
import { call, faultPathsOf, openWorld } from "../../world.ts";
import { META, track } from "../experiments/tracked.ts";

const event = (event_type: string, plan: unknown, day = 22) => ({
  event_type,
  timestamp: `2026-11-${String(day).padStart(2, "0")}T08:00:00Z`,
  properties: { plan },
});

const HISTORY = [
  event("signup", "pro"),
  event("signup", "Plus"),
  event("signup", "Plus", 20),
  event("login", "pro"),
  event("login", "pro"),
  event("login", 5),
  event("login", "5"),
  event("login", true),
  event("login", { nested: 1 }),
  event("login", null),
  event("login", "old", 1),
  { event_type: "login", timestamp: "2026-11-22T08:00:00Z" },
];

async function valuesOf(query: object) {
  const world = openWorld();
  await track(world, ...HISTORY);
  return (await call(listPropertyValues, world, { query: { property: "plan", ...query } })).body;
}

const shown = async (query: object) => {
  const { values, has_more } = await valuesOf(query);
  return [...values.map(({ value, count }) => [value, count]), ...(has_more ? ["and more"] : [])];
};

describe("the values of a property", () => {
  test("are those of all events of the range, most frequent first", async () => {
    expect(await valuesOf({ from: "2026-11-20" })).toStrictEqual({
      property: "plan",
      from: "2026-11-20T00:00:00.000Z",
      to: "2026-11-22T10:00:00.001Z",
      values: [
        { value: "pro", count: 3 },
        { value: "Plus", count: 2 },
        { value: "5", count: 1 },
        { value: 5, count: 1 },
        { value: true, count: 1 },
      ],
      has_more: false,
      meta: META,
    });
  });

  test("can be those of some types, in part of the time", async () => {
    expect(await shown({ event_type: "signup", from: "2026-11-22" })).toEqual([
      ["Plus", 1],
      ["pro", 1],
    ]);
    expect(await shown({ event_type: ["signup", "login"], from: "2026-11-01", to: "2026-11-01" })).toEqual([
      ["old", 1],
    ]);
  });

  test("can be those with a prefix in any case, and say that there are more", async () => {
    expect(await shown({ prefix: "P" })).toEqual([
      ["pro", 3],
      ["Plus", 2],
    ]);
    expect(await shown({ prefix: "p", limit: "1" })).toEqual([["pro", 3], "and more"]);
    expect(await shown({ prefix: "none" })).toEqual([]);
  });

  test("are searched among the five thousand most frequent ones", async () => {
    const world = openWorld();
    const batch = (from: number) =>
      Array.from({ length: 1_700 }, (_, n) => event("view", `plan ${from + n}`));
    for (const from of [0, 1_700, 3_400]) await track(world, ...batch(from));
    const { body } = await call(listPropertyValues, world, { query: { property: "plan" } });
    expect([body.values.length, body.has_more]).toEqual([20, true]);
  });

  test("are none for an unknown property", async () => {
    expect(await shown({ property: "never" })).toEqual([]);
  });

  test.each([
    ["no property", { property: undefined }, "property"],
    ["101 values", { limit: "101" }, "limit"],
    ["two prefixes", { prefix: ["a", "b"] }, "prefix"],
    ["an empty range", { from: "2026-11-22", to: "2026-11-20" }, "from"],
  ])("with %s are refused with the path", async (_name, query, path) => {
    const asked = call(listPropertyValues, openWorld(), { query: { property: "plan", ...query } });
    expect(await faultPathsOf(asked)).toEqual(["invalid", path]);
  });
});
