import { expect, test } from "vitest";
import { assignVariant } from "../../../handlers/experiments/assignments/assign-variant.ts";
import { getResults } from "../../../handlers/experiments/get-results.ts";
import { trackMetrics } from "../../../handlers/experiments/metrics/track-metrics.ts";
import { linkUsers } from "../../../handlers/people/link-users.ts";
import { call, faultPathsOf, MINUTE, NOW, openWorld, type TestWorld, withColours } from "../../world.ts";
import { track } from "./tracked.ts";

const params = { test_id: "1" };
const USERS = 240;
const COUNTRIES = ["de", "fr", "at"];

interface Enrolled {
  readonly user_id: string;
  readonly variant: string;
  readonly country: string;
}

/** Users of three countries, each with two orders of which the second is larger; every fourth is without an attribute. */
async function opened(): Promise<{ world: TestWorld; users: Enrolled[] }> {
  const world = openWorld();
  const metrics = [
    { metric_name: "signup", kind: "conversion" },
    { metric_name: "orders", kind: "count", role: "guardrail", margin: 0.1 },
    { metric_name: "revenue", kind: "ratio", denominator: "orders" },
  ];
  await withColours(world, { changes: { metrics } });
  const users: Enrolled[] = [];
  for (let index = 0; index < USERS; index++) {
    const user_id = `user-${index}`;
    const country = COUNTRIES[index % 3] ?? "";
    const attributes = index % 4 === 0 ? {} : { attributes: { country, age: 20 + (index % 2) } };
    const { body } = await call(assignVariant, world, { params, body: { user_id, ...attributes } });
    if (index % 4 !== 0 && body.variant !== null) users.push({ user_id, variant: body.variant, country });
  }
  const body = Array.from({ length: USERS }, (_, index) => `user-${index}`).flatMap((user_id, index) => [
    ...(index % 2 === 0 ? [{ user_id, metric_name: "signup" }] : []),
    { user_id, metric_name: "orders" },
    { user_id, metric_name: "revenue", value: 5 + (index % 3) },
  ]);
  await call(trackMetrics, world, { params, body });
  return { world, users };
}

test("the results of each value of a property are those of its users alone, and never a verdict", async () => {
  const { world, users } = await opened();
  const plain = await call(getResults, world, { params });
  const { body } = await call(getResults, world, { params, query: { segment: "country" } });
  const { segments, ...rest } = body;
  expect(rest).toStrictEqual(plain.body);
  expect(segments).toMatchObject({
    property: "country",
    role: "exploratory",
    users: users.length,
    capped: false,
    values_left_out: 0,
  });
  expect(segments?.values.map(({ value }) => value).sort()).toEqual(["at", "de", "fr"]);
  for (const { value, users: size, variants } of segments?.values ?? []) {
    const own = users.filter(({ country }) => country === value);
    expect(size).toBe(own.length);
    for (const { variant_name, users: inVariant, metrics } of variants) {
      const ids = own.filter(({ variant }) => variant === variant_name).map(({ user_id }) => user_id);
      const numbers = ids.map((id) => Number(id.slice(5)));
      const converted = numbers.filter((number) => number % 2 === 0).length;
      expect(inVariant).toBe(ids.length);
      expect(
        metrics.map(({ metric_name, role, margin, users_with_value, mean }) => [
          metric_name,
          role,
          margin,
          users_with_value,
          mean,
        ]),
      ).toEqual([
        ["signup", "exploratory", null, converted, expect.closeTo(converted / ids.length, 12)],
        ["orders", "exploratory", null, ids.length, 1],
        ["revenue", "exploratory", null, ids.length, 5 + (COUNTRIES.indexOf(String(value)) % 3)],
      ]);
    }
  }
});

/** Users whose countries are known from events alone, and each country's users. */
async function openedByEvents(): Promise<TestWorld> {
  const world = openWorld();
  await withColours(world, { changes: { metrics: [{ metric_name: "signup", kind: "conversion" }] } });
  const seen = (user_id: string, hours: number, properties?: object) => ({
    event_type: hours % 2 === 0 ? "view" : "login",
    user_id,
    timestamp: NOW - hours * 60 * MINUTE,
    properties,
  });
  await track(
    world,
    seen("ann", 30, { country: "fr" }),
    seen("ann", 3, { country: "de" }),
    seen("ann", 1, { plan: "pro" }),
    seen("ann", 0, { country: "at" }),
    seen("bob", 24 * 89, { country: "de" }),
    seen("cyd", 24 * 91, { country: "de" }),
    seen("dan", 2, { country: null }),
    seen("eve", 2, { country: "at" }),
    seen("anonymous", 2, { country: "at" }),
  );
  await call(linkUsers, world, { body: { anonymous_id: "anonymous", user_id: "fay" } });
  for (const user_id of ["ann", "bob", "cyd", "dan", "fay"])
    await call(assignVariant, world, { params, body: { user_id } });
  await call(assignVariant, world, { params, body: { user_id: "eve", attributes: { country: "fr" } } });
  return world;
}

test("a property is that of the user's last event before the assignment that has it, unless it was sent", async () => {
  const world = await openedByEvents();
  const { body } = await call(getResults, world, { params, query: { segment: "country" } });
  expect(body.segments).toMatchObject({ property: "country", role: "exploratory", users: 4, capped: false });
  expect(body.segments?.values.map(({ value, users }) => [value, users])).toStrictEqual([
    ["de", 2],
    ["at", 1],
    ["fr", 1],
  ]);
});

test("what users do after their assignment moves nobody to another segment", async () => {
  const world = await openedByEvents();
  const ask = async () => (await call(getResults, world, { params, query: { segment: "country" } })).body;
  const before = await ask();
  world.advance(MINUTE);
  await track(world, { event_type: "view", user_id: "ann", properties: { country: "it" } });
  expect((await ask()).segments).toStrictEqual(before.segments);
});

test("a number is a segment too", async () => {
  const { world } = await opened();
  const { body } = await call(getResults, world, { params, query: { segment: "age" } });
  expect(body.segments?.values.map(({ value }) => value).sort()).toEqual([20, 21]);
});

test("a property that no user has is refused, with what to do", async () => {
  const { world } = await opened();
  expect(await faultPathsOf(call(getResults, world, { params, query: { segment: "plan" } }))).toEqual([
    "invalid",
    "segment",
  ]);
});
