import { describe, expect, test } from "vitest";
import { shareInterval } from "../../../domain/statistics/share-interval.ts";
import { linkUsers } from "../../../handlers/people/link-users.ts";
import { computeFunnel } from "../../../handlers/reports/compute-funnel.ts";
import { call, faultPathsOf, openEdge, openWorld } from "../../world.ts";
import { META, track } from "../experiments/tracked.ts";

const at = (minute: number, event_type: string, user_id: string, properties?: object) => ({
  event_type,
  user_id,
  properties,
  timestamp: Date.parse("2026-11-20T12:00:00Z") + minute * 60_000,
});

const HISTORY = [
  at(0, "view", "ann", { plan: "pro" }),
  at(10, "cart", "ann", { size: 1 }),
  at(11, "buy", "ann", { size: 5 }),
  at(0, "view", "bob", { plan: "free" }),
  at(2, "look", "bob"),
  at(4, "cart", "bob", { size: 5 }),
  at(0, "buy", "cem", { size: 5 }),
  at(1, "view", "cem", { plan: "free" }),
];

const steps = [{ event_type: "view" }, { event_type: "cart" }, { event_type: "buy" }];
const DAY = { from: "2026-11-20", to: "2026-11-20" };

async function asked(body: object) {
  const world = openWorld();
  await track(world, ...HISTORY);
  return (await call(computeFunnel, world, { body: { steps, ...DAY, ...body } })).body;
}

const usersOf = async (body: object) => (await asked(body)).steps.map(({ users }) => users);

const step = (
  event_type: string,
  users: number,
  start: number,
  previous: number | null,
  median: number | null,
) => ({
  event_type,
  users,
  rate_from_start: start,
  rate_from_previous: previous,
  median_seconds: median,
});

/** The share who took all steps, with its interval. */
const completion = (completed: number, users: number) => ({
  rate: completed / users,
  interval: shareInterval(completed, users, 0.95),
});

describe("a funnel", () => {
  test("shows users, rates and median times step by step", async () => {
    expect(await asked({})).toStrictEqual({
      order: "ordered",
      window_seconds: 2_592_000,
      from: "2026-11-20T00:00:00.000Z",
      to: "2026-11-21T00:00:00.000Z",
      steps: [
        step("view", 3, 1, 1, null),
        step("cart", 2, 2 / 3, 2 / 3, 420),
        step("buy", 1, 1 / 3, 1 / 2, 60),
      ],
      completion: completion(1, 3),
      breakdown: null,
      groups: [],
      users: null,
      meta: META,
    });
  });

  test("is broken down by a property of each user's first step", async () => {
    const { breakdown, groups } = await asked({ breakdown: "plan", limit: 1 });
    expect(breakdown).toBe("plan");
    expect(groups).toEqual([
      {
        group: "free",
        is_other: false,
        steps: [step("view", 2, 1, 1, null), step("cart", 1, 0.5, 0.5, 240), step("buy", 0, 0, 0, null)],
        completion: completion(0, 2),
      },
      {
        group: "__other__",
        is_other: true,
        steps: [step("view", 1, 1, 1, null), step("cart", 1, 1, 1, 600), step("buy", 1, 1, 1, 60)],
        completion: completion(1, 1),
      },
    ]);
  });

  test.each([
    ["reached", 1, ["cem", "bob", "ann"]],
    ["reached", 2, ["bob", "ann"]],
    ["left", 1, ["cem"]],
    ["left", 2, ["bob"]],
    ["reached", 3, ["ann"]],
  ])("lists the users who %s step %i, those first who began last", async (outcome, step, users) => {
    const reply = await asked({ users: { outcome, step } });
    expect(reply.users?.map(({ user_id }) => user_id)).toEqual(users);
  });

  test("lists a user of several ids once, under the id of the person, with the time of their first step", async () => {
    const world = openWorld();
    await track(world, ...HISTORY, at(20, "view", "device"), at(21, "cart", "device"));
    await call(linkUsers, world, { body: { anonymous_id: "device", user_id: "dan" } });
    const body = { steps, ...DAY, users: { step: 2, outcome: "left", limit: 1 } };
    expect((await call(computeFunnel, world, { body })).body.users).toEqual([
      { user_id: "dan", began_at: "2026-11-20T12:20:00.000Z" },
    ]);
  });

  test("can be strict, or in any order", async () => {
    expect(await usersOf({ order: "strict" })).toEqual([3, 1, 1]);
    expect(await usersOf({ order: "unordered" })).toEqual([3, 3, 1]);
  });

  test("bounds the time from the first step to the last by the window", async () => {
    expect(await usersOf({ window_seconds: 660 })).toEqual([3, 2, 1]);
    expect(await usersOf({ window_seconds: 659 })).toEqual([3, 2, 0]);
  });

  test("matches the conditions of a step by value and type", async () => {
    const narrowed = (size: unknown) => [steps[0], { event_type: "cart", where: { size } }];
    expect(await usersOf({ steps: narrowed(5) })).toEqual([3, 1]);
    expect(await usersOf({ steps: narrowed("5") })).toEqual([3, 0]);
  });

  test("has no users without events", async () => {
    const { steps: shown } = await asked({ from: "2026-11-01", to: "2026-11-02" });
    expect(shown.map((one) => [one.users, one.rate_from_start, one.median_seconds])).toEqual([
      [0, null, null],
      [0, null, null],
      [0, null, null],
    ]);
  });

  test("allows twenty steps", async () => {
    const many = Array.from({ length: 20 }, () => ({ event_type: "view" }));
    expect(await usersOf({ steps: many })).toEqual([3, ...new Array(19).fill(0)]);
  });

  test("is computed over HTTP from the body of a POST", async () => {
    const { world, send } = openEdge();
    await track(world, ...HISTORY);
    const body = { steps, ...DAY, verify: true };
    const answer = await send({ method: "POST", path: "/apiv1/events/funnel", body });
    expect(answer.status).toBe(200);
    const shown = answer.body as {
      steps: { users: number }[];
      meta: { source: string; verification?: unknown };
    };
    expect(shown.steps.map(({ users }) => users)).toEqual([3, 2, 1]);
    if (shown.meta.source === "rollup")
      expect(shown.meta.verification).toEqual({ ok: true, differences: [] });
  });
});

describe("an invalid funnel", () => {
  const [first] = steps;

  test.each<[string, object, string[]]>([
    ["no steps", { steps: undefined }, ["steps"]],
    ["one step", { steps: [first] }, ["steps"]],
    ["21 steps", { steps: Array.from({ length: 21 }, () => first) }, ["steps"]],
    ["a step without a type", { steps: [first, {}] }, ["steps[1].event_type"]],
    ["an unknown part of a step", { steps: [first, { ...first, filter: {} }] }, ["steps[1].filter"]],
    ["a condition on a list", { steps: [first, { ...first, where: { a: null } }] }, ["steps[1].where.a"]],
    ["users who left after the last step", { users: { step: 3, outcome: "left" } }, ["users.step"]],
    ["users of a step that there is not", { users: { step: 4, outcome: "reached" } }, ["users.step"]],
    ["an unknown order", { order: "any" }, ["order"]],
    ["a window of 0 seconds", { window_seconds: 0 }, ["window_seconds"]],
    ["a window of more than a year", { window_seconds: 366 * 86_400 + 1 }, ["window_seconds"]],
    ["a window in words", { window_seconds: "1d" }, ["window_seconds"]],
    ["no groups", { breakdown: "plan", limit: 0 }, ["limit"]],
    ["an unknown zone", { timezone: "Mars/Olympus" }, ["timezone"]],
    ["an impossible range", { from: "2026-11-21" }, ["from"]],
    ["two faults", { order: "any", limit: 101 }, ["order", "limit"]],
    ["an unknown field", { window: 5 }, ["window"]],
  ])("a query with %s is refused with the path", async (_name, changes, paths) => {
    const body = { steps, ...DAY, ...changes };
    expect(await faultPathsOf(call(computeFunnel, openWorld(), { body }))).toEqual(["invalid", ...paths]);
  });
});
