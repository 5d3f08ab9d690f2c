import { expect, test } from "vitest";
import { importAssignments } from "../../../handlers/experiments/assignments/import-assignments.ts";
import { getResults } from "../../../handlers/experiments/get-results.ts";
import { getTimeline } from "../../../handlers/experiments/get-timeline.ts";
import { trackMetrics } from "../../../handlers/experiments/metrics/track-metrics.ts";
import { call, NOW, openWorld, type TestWorld, withColours } from "../../world.ts";

const params = { test_id: "1" };
const DAY = 86_400_000;
const day = (back: number): string => new Date(NOW - back * DAY).toISOString();

/** Enrols `each` users in each variant on a day; more of the blue ones convert. */
async function enrolDay(world: TestWorld, back: number, each: number): Promise<void> {
  const users = ["red", "blue"].flatMap((variant) =>
    Array.from({ length: each }, (_, index) => ({ user_id: `${variant}-${back}-${index}`, variant })),
  );
  const assigned_at = day(back);
  await call(importAssignments, world, { params, body: users.map((user) => ({ ...user, assigned_at })) });
  const converts = (variant: string, index: number) => index % 10 < (variant === "red" ? 1 : 5);
  const metrics = users
    .filter(({ user_id, variant }) => converts(variant, Number(user_id.split("-")[2])))
    .map(({ user_id }) => ({ user_id, metric_name: "signup", timestamp: assigned_at }));
  await call(trackMetrics, world, { params, body: metrics });
}

test("shows users and means at the end of each day", async () => {
  const world = openWorld();
  await withColours(world, { changes: { metrics: [{ metric_name: "signup", kind: "conversion" }] } });
  for (const back of [2, 1, 0]) await enrolDay(world, back, 100);
  const { body } = await call(getTimeline, world, { params });
  const seen = body.days.map(({ day: name, variants }) => [
    name,
    ...variants.map(({ users, metrics }) => [users, metrics[0]?.mean]),
  ]);
  expect(seen).toStrictEqual([
    ["2026-11-20", [100, 0.1], [100, 0.5]],
    ["2026-11-21", [200, 0.1], [200, 0.5]],
    ["2026-11-22", [300, 0.1], [300, 0.5]],
  ]);
});

test("a value that comes late counts on the day on which it happened", async () => {
  const world = openWorld();
  await withColours(world, { changes: { metrics: [{ metric_name: "signup", kind: "conversion" }] } });
  await enrolDay(world, 1, 100);
  await enrolDay(world, 0, 100);
  const late = [{ user_id: "red-1-1", metric_name: "signup", timestamp: day(1) }];
  await call(trackMetrics, world, { params, body: late });
  const { days } = (await call(getTimeline, world, { params })).body;
  expect(days.map(({ variants }) => variants[0]?.metrics[0]?.mean)).toEqual([11 / 100, 21 / 200]);
});

test("the last day says what the results say now", async () => {
  const world = openWorld();
  await withColours(world, { changes: { metrics: [{ metric_name: "signup", kind: "conversion" }] } });
  for (const back of [0, -1, -2]) {
    world.advance(back === 0 ? 0 : DAY);
    await enrolDay(world, back, 200);
  }
  const { body } = await call(getTimeline, world, { params });
  expect(body.days.map(({ variants }) => variants[1]?.users)).toStrictEqual([200, 400, 600]);
  const results = await call(getResults, world, { params });
  expect(body.days.at(-1)?.variants).toStrictEqual(
    results.body.results.map(({ variant_id, variant_name, is_control, users, metrics }) => ({
      variant_id,
      variant_name,
      is_control,
      users,
      metrics: metrics.map(({ metric_name, mean, comparison }) => ({
        metric_name,
        mean,
        difference: comparison?.difference ?? null,
        interval: comparison?.interval ?? null,
        p_value: comparison?.p_value ?? null,
      })),
    })),
  );
});

test("a test without users has no days", async () => {
  const world = openWorld();
  await withColours(world);
  const { outcome, body, json } = await call(getTimeline, world, { params });
  expect([outcome, body]).toStrictEqual(["ok", { test_id: 1, confidence_level: 0.95, days: [] }]);
  expect(json).toBe(JSON.stringify(body));
});
