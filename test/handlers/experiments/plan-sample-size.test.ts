import { expect, test } from "vitest";
import { planSampleSize } from "../../../handlers/experiments/plan-sample-size.ts";
import { call, faultPathsOf, openWorld } from "../../world.ts";

const plan = (body: unknown) => call(planSampleSize, openWorld(), { body });

test("says how many users find an effect, looking once and looking whenever one likes", async () => {
  // 14,749 an arm: (1.959964 + 0.841621)²·(0.1·0.9 + 0.11·0.89)/0.01², the unpooled formula.
  const { body } = await plan({ baseline: 0.1, effect: 0.1 });
  expect(body.users.fixed).toStrictEqual({ control: 14_749, treatment: 14_749, total: 29_498 });
  expect(body.users.sequential.total).toBeGreaterThan(body.users.fixed.total);
  expect(body.summary).toBe(
    "To find a change from 10 % to 11 % you need 97,188 users if you look at the results whenever you like, or 29,498 if you look once, at the end.",
  );
});

test("the effect that these users find is the effect they were planned for", async () => {
  const { body: forward } = await plan({
    kind: "mean",
    baseline: 20,
    standard_deviation: 30,
    effect: 1,
    effect_type: "absolute",
  });
  const { body: back } = await plan({
    kind: "mean",
    baseline: 20,
    standard_deviation: 30,
    users: forward.users.fixed.total,
  });
  expect(back.effect.fixed.absolute).toBeCloseTo(1, 3);
  expect(back.effect.fixed.relative).toBeCloseTo(0.05, 4);
});

test("an uneven split needs more users in all", async () => {
  const { body: even } = await plan({ baseline: 0.1, effect: 0.1 });
  const { body: uneven } = await plan({ baseline: 0.1, effect: 0.1, split: 0.1 });
  expect(uneven.users.fixed.total).toBeGreaterThan(2 * even.users.fixed.total);
  expect(uneven.users.fixed.treatment / uneven.users.fixed.total).toBeCloseTo(0.1, 3);
});

test.each([
  ["neither effect nor users", { baseline: 0.1 }, ["effect"]],
  ["both effect and users", { baseline: 0.1, effect: 0.1, users: 100 }, ["effect"]],
  ["a rate of 1", { baseline: 1, effect: 0.1 }, ["baseline"]],
  ["a rate beyond 1", { baseline: 0.9, effect: 0.5 }, ["effect"]],
  ["a mean without its spread", { kind: "mean", baseline: 1, effect: 0.1 }, ["standard_deviation"]],
  ["no effect at all", { baseline: 0.1, effect: 0 }, ["effect"]],
  ["a lift over nothing", { kind: "mean", standard_deviation: 1, baseline: 0, effect: 0.1 }, ["effect_type"]],
  ["certainty", { baseline: 0.1, effect: 0.1, confidence_level: 1 }, ["confidence_level"]],
])("refuses %s", async (_what, body, paths) => {
  expect(await faultPathsOf(plan(body))).toStrictEqual(["invalid", ...paths]);
});
