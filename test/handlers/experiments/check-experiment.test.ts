import { expect, test } from "vitest";
import { importAssignments } from "../../../handlers/experiments/assignments/import-assignments.ts";
import { checkExperiment } from "../../../handlers/experiments/check-experiment.ts";
import { getResults } from "../../../handlers/experiments/get-results.ts";
import { trackMetrics } from "../../../handlers/experiments/metrics/track-metrics.ts";
import { call, faultPathsOf, openWorld, type TestWorld, withColours } from "../../world.ts";

const params = { test_id: "1" };
const metrics = [
  { metric_name: "signup", kind: "conversion" },
  { metric_name: "orders", kind: "count" },
  { metric_name: "per_order", kind: "ratio", denominator: "orders" },
];

/** 1,200 users, of whom every third signs up and every second orders. */
async function opened(users = 1_200): Promise<TestWorld> {
  const world = openWorld();
  await withColours(world, { changes: { metrics } });
  const ids = Array.from({ length: users }, (_, index) => `user-${index}`);
  const assigned = ids.map((user_id, index) => ({ user_id, variant: index % 2 === 0 ? "red" : "blue" }));
  await call(importAssignments, world, { params, body: assigned });
  const values = ids.flatMap((user_id, index) => [
    ...(index % 3 === 0 ? [{ user_id, metric_name: "signup" }] : []),
    ...(index % 2 === 0 ? [{ user_id, metric_name: "orders" }] : []),
    ...(index % 2 === 0 ? [{ user_id, metric_name: "per_order", value: 5 + (index % 7) }] : []),
  ]);
  for (let from = 0; from < values.length; from += 2_000) {
    await call(trackMetrics, world, { params, body: values.slice(from, from + 2_000) });
  }
  return world;
}

test.each(["signup", "orders", "per_order"])(
  "random splits of a test's own users rarely have a verdict on %s",
  async (metric_name) => {
    const world = await opened();
    const { body } = await call(checkExperiment, world, { params, body: { metric_name, seed: 1 } });
    expect(body).toMatchObject({
      test_id: 1,
      metric_name,
      rounds: 500,
      users: 1_200,
      capped: false,
      seed: 1,
      ok: true,
    });
    expect(body.false_verdicts.any_time.share).toBeLessThanOrEqual(0.079);
    expect(body.false_verdicts.planned.share).toBeLessThanOrEqual(0.079);
    expect(body.summary).toMatch(
      /^[\d.]+ % of 500 random splits of 1,200 users had a verdict on “\w+” at any time, and [\d.]+ % at a planned look; at most 5 % should\.$/,
    );
  },
);

test("the primary metric is checked by default, the same seed gives the same answer, and nothing changes", async () => {
  const world = await opened();
  const before = await call(getResults, world, { params });
  const first = await call(checkExperiment, world, { params, body: {} });
  const { metric_name, seed } = first.body;
  expect(metric_name).toBe("signup");
  expect(await call(checkExperiment, world, { params, body: { seed } })).toStrictEqual(first);
  expect(await call(getResults, world, { params })).toStrictEqual(before);
});

test("requests that arrive meanwhile are served before it ends", async () => {
  const world = await opened();
  let turns = 0;
  let running = true;
  const count = (): void => {
    turns += 1;
    if (running) setImmediate(count);
  };
  setImmediate(count);
  await call(checkExperiment, world, { params, body: {} });
  running = false;
  expect(turns).toBeGreaterThan(2);
});

test.each<[string, number, object, [string, ...string[]]]>([
  ["a metric that nobody knows", 100, { metric_name: "unknown" }, ["invalid", "metric_name"]],
  ["too few users for any verdict", 90, {}, ["invalid", "metric_name"]],
  ["no users", 0, {}, ["invalid", "metric_name"]],
  ["a seed that is no whole number", 100, { seed: 0.5 }, ["invalid", "seed"]],
])("is refused for %s", async (_what, users, body, paths) => {
  const world = users === 0 ? openWorld() : await opened(users);
  if (users === 0) await withColours(world, { changes: { metrics } });
  expect(await faultPathsOf(call(checkExperiment, world, { params, body }))).toEqual(paths);
});

test("is refused where there is no such test", async () => {
  const world = openWorld();
  expect(await faultPathsOf(call(checkExperiment, world, { params, body: {} }))).toEqual(["not_found"]);
});
