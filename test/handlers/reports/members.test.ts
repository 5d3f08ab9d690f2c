import { describe, expect, test } from "vitest";
import { importAssignments } from "../../../handlers/experiments/assignments/import-assignments.ts";
import { getResults } from "../../../handlers/experiments/get-results.ts";
import { updateExperiment } from "../../../handlers/experiments/update-experiment.ts";
import { eraseUser } from "../../../handlers/people/erase-user.ts";
import { linkUsers } from "../../../handlers/people/link-users.ts";
import { computeFunnel } from "../../../handlers/reports/compute-funnel.ts";
import { getRetention } from "../../../handlers/reports/get-retention.ts";
import { getTrend } from "../../../handlers/reports/get-trend.ts";
import {
  call,
  colours,
  MINUTE,
  NOW,
  openEdge,
  openWorld,
  refusalOf,
  type TestWorld,
  withColours,
} from "../../world.ts";
import { track } from "../experiments/tracked.ts";

const NAME = colours.test_name;

const at = (minute: number, event_type: string, user_id: string) => ({
  event_type,
  user_id,
  timestamp: NOW + minute * MINUTE,
});

/** Everybody was assigned at the start; "crossed" and "other device" are one person with two variants. */
const USERS = {
  ann: "red",
  device: "red",
  bob: "blue",
  cem: "blue",
  crossed: "red",
  "other device": "blue",
};

const HISTORY = [
  // Before the assignment.
  at(-9, "view", "ann"),
  at(-8, "buy", "cem"),
  at(1, "view", "ann"),
  at(3, "buy", "ann"),
  at(4, "view", "device"),
  at(5, "view", "bob"),
  at(6, "view", "cem"),
  at(9, "buy", "cem"),
  at(1, "view", "crossed"),
  at(2, "buy", "other device"),
  // In no experiment.
  at(1, "view", "dan"),
  at(2, "buy", "dan"),
];

async function shop(): Promise<TestWorld> {
  const world = openWorld();
  await withColours(world, { users: USERS });
  world.advance(30 * MINUTE);
  await track(world, ...HISTORY);
  const links = { device: "eve", "other device": "crossed" };
  for (const [anonymous_id, user_id] of Object.entries(links)) {
    await call(linkUsers, world, { body: { anonymous_id, user_id } });
  }
  return world;
}

const FUNNEL = {
  steps: [{ event_type: "view" }, { event_type: "buy" }],
  from: "2026-11-22",
  to: "2026-11-22",
  verify: true,
};

async function funnelOf(world: TestWorld, body: object) {
  const { body: funnel } = await call(computeFunnel, world, { body: { ...FUNNEL, ...body } });
  expect(funnel.meta.verification).toEqual({ ok: true, differences: [] });
  return funnel;
}

const usersOf = (steps: readonly { readonly users: number }[]) => steps.map(({ users }) => users);

const TREND = { from: "2026-11-22", to: "2026-11-22", verify: "1" };

async function trendOf(world: TestWorld, query: object) {
  const { body: trend } = await call(getTrend, world, { query: { ...TREND, ...query } });
  expect(trend.meta.verification).toEqual({ ok: true, differences: [] });
  return trend;
}

const totalsOf = ({ series }: Awaited<ReturnType<typeof trendOf>>) =>
  series.map(({ event_type, group, total }) => [event_type, group, total]);

describe("a report about the people of an experiment", () => {
  test("divides a funnel by variant: from the assignment on, each person once, and nobody with several variants", async () => {
    const world = await shop();
    const funnel = await funnelOf(world, { breakdown_experiment: NAME });
    expect(funnel).toMatchObject({ breakdown: null, breakdown_experiment: NAME });
    expect(usersOf(funnel.steps)).toEqual([4, 2]);
    expect(funnel.groups.map(({ group, steps }) => [group, ...usersOf(steps)])).toEqual([
      ["blue", 2, 1],
      ["red", 2, 1],
    ]);
  });

  test("has the groups of a breakdown one by one where a variant is a condition", async () => {
    const world = await shop();
    const { groups } = await funnelOf(world, { breakdown_experiment: NAME });
    for (const { group, steps, completion } of groups) {
      const one = await funnelOf(world, { experiment: { [NAME]: group } });
      expect({ steps: one.steps, completion: one.completion }).toEqual({ steps, completion });
      expect(one.groups).toEqual([]);
    }
  });

  test("has the people of the results of the experiment", async () => {
    const world = await shop();
    const { body: results } = await call(getResults, world, { params: { test_id: "1" } });
    const series = totalsOf(await trendOf(world, { measure: "users", breakdown_experiment: NAME }));
    expect(series).toEqual([
      [null, "blue", 2],
      [null, "red", 2],
    ]);
    expect(results.results.map(({ variant_name, users }) => [variant_name, users])).toEqual([
      ["red", 2],
      ["blue", 2],
    ]);
  });

  test("is a trend of events or users, with the period before, and with conditions on properties", async () => {
    const world = await shop();
    const byVariant = { breakdown_experiment: NAME, event_type: ["view", "buy"] };
    expect(totalsOf(await trendOf(world, byVariant))).toEqual([
      ["view", "blue", 2],
      ["view", "red", 2],
      ["buy", "blue", 1],
      ["buy", "red", 1],
    ]);
    const { series } = await trendOf(world, {
      event_type: "view",
      interval: "hour",
      from: "2026-11-22T10:00:00Z",
      to: "2026-11-22T11:00:00Z",
      experiment: { [NAME]: "red" },
      compare: "previous",
    });
    expect(series).toEqual([
      { event_type: "view", total: 2, values: [2], previous: { total: 0, values: [0] } },
    ]);
    const where = { plan: "pro" };
    expect(totalsOf(await trendOf(world, { experiment: { [NAME]: "blue" }, where }))).toEqual([
      [null, undefined, 0],
    ]);
    expect(totalsOf(await trendOf(world, { experiment: { [NAME]: "blue" }, breakdown: "plan" }))).toEqual([
      [null, null, 3],
    ]);
  });

  test("is a retention of the people of a variant", async () => {
    const world = await shop();
    const query = { experiment: { [NAME]: "blue" }, interval: "day", event_type: "view", verify: "1" };
    const { body } = await call(getRetention, world, { query: { ...query, from: "2026-11-22" } });
    expect(body.cohorts.map(({ users }) => users)).toEqual([2]);
    expect(body.meta.verification).toEqual({ ok: true, differences: [] });
  });

  test("requires all experiments that it names", async () => {
    const world = await shop();
    await withColours(world, { changes: { test_name: "second" } });
    const body = [{ user_id: "bob", variant: "red", assigned_at: NOW + 7 * MINUTE }];
    await call(importAssignments, world, { params: { test_id: "2" }, body });
    await track(world, at(8, "buy", "bob"));
    const { steps, groups } = await funnelOf(world, {
      experiment: { [NAME]: "blue" },
      breakdown_experiment: "second",
      steps: [{ event_type: "buy" }, { event_type: "view" }],
    });
    expect([usersOf(steps), groups.map(({ group }) => group)]).toEqual([[1, 0], ["red"]]);
    expect(totalsOf(await trendOf(world, { experiment: { [NAME]: "blue", second: "red" } }))).toEqual([
      [null, undefined, 1],
    ]);
  });

  test("ends with the experiment, like its results", async () => {
    const world = await shop();
    const stopped = { params: { test_id: "1" }, body: { status: "stopped", winner: "red" } };
    await call(updateExperiment, world, stopped);
    world.advance(30 * MINUTE);
    await track(world, at(31, "buy", "bob"));
    const { steps } = await funnelOf(world, { experiment: { [NAME]: "blue" } });
    expect(usersOf(steps)).toEqual([2, 1]);
  });

  test("loses a person who is erased", async () => {
    const world = await shop();
    await call(eraseUser, world, { params: { user_id: "cem" } });
    const { groups } = await funnelOf(world, { breakdown_experiment: NAME });
    expect(groups.map(({ group, steps }) => [group, ...usersOf(steps)])).toEqual([
      ["red", 2, 1],
      ["blue", 1, 0],
    ]);
  });

  test.each([
    [{ experiment: { nothing: "red" } }, "experiment.nothing", /^is the name of no A\/B test/],
    [{ experiment: { [NAME]: "green" } }, `experiment.${NAME}`, /a variant of this A\/B test: red, blue$/],
    [{ breakdown_experiment: "nothing" }, "breakdown_experiment", /^is the name of no A\/B test/],
    [{ breakdown_experiment: NAME, breakdown: "plan" }, "breakdown_experiment", /^must be left out/],
  ])("is refused for %j", async (query, path, message) => {
    const world = await shop();
    const refusal = { code: "invalid", errors: [{ path, message: expect.stringMatching(message) }] };
    expect(await refusalOf(call(getTrend, world, { query }))).toMatchObject(refusal);
    expect(await refusalOf(call(computeFunnel, world, { body: { ...FUNNEL, ...query } }))).toMatchObject(
      refusal,
    );
  });

  test("names at most five experiments as conditions", async () => {
    const world = openWorld();
    const experiment = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`test ${n}`, "red"]));
    expect(await refusalOf(call(getTrend, world, { query: { experiment } }))).toMatchObject({
      errors: [{ path: "experiment", message: "must have at most 5 entries" }],
    });
  });

  test("is written in an address as experiment[name]=variant", async () => {
    const { world, send } = openEdge();
    await withColours(world, { users: USERS });
    await track(world, at(0, "view", "ann"), at(0, "view", "bob"));
    const path = `/apiv1/events/trend?experiment[${NAME}]=red&breakdown_experiment=${NAME}`;
    const { status, body } = await send({ path });
    expect(status).toBe(200);
    expect(body).toMatchObject({ series: [{ group: "red", total: 1 }] });
    expect(await send({ path: "/apiv1/events/trend?experiment=red" })).toMatchObject({
      status: 400,
      body: { errors: [{ path: "experiment" }] },
    });
  });
});
