import { expect, test } from "vitest";
import { planSampleSize } from "../../../handlers/experiments/plan-sample-size.ts";
import { call, faultPathsOf, openWorld } from "../../world.ts";

const plan = (body: unknown) => call(planSampleSize, openWorld(), { body });

test("says how many users find an effect, reading once at a planned end and deciding at any time", async () => {
  const { body } = await plan({ baseline: 0.1, effect: 0.2 });
  const effect = { absolute: 0.020000000000000004, relative: 0.20000000000000004 };
  expect(body).toStrictEqual({
    effect: { fixed: effect, sequential: effect },
    decrease: null,
    users: {
      fixed: { control: 3_966, treatment: 3_966, arms: [3_966, 3_966], total: 7_932, asked_by: null },
      sequential: { control: 8_452, treatment: 8_452, arms: [8_452, 8_452], total: 16_904, asked_by: null },
    },
    summary:
      "To find a change from 10 % to 12 % you need 7,932 users if you plan them beforehand and read once, at the end; 16,904 if you want to decide at any time.",
  });
});

test.each([
  ["90/10", { split: 0.1 }, 23_413, 50_113],
  ["four equal arms", { split: [1, 1, 1, 1] }, 20_988, 39_532],
])("plans %s", async (_name, changes, fixed, sequential) => {
  const { body } = await plan({ baseline: 0.1, effect: 0.2, ...changes });
  const { users } = body;
  // Each arm is rounded up by itself.
  expect(users.fixed.total - fixed).toBeLessThan(users.fixed.arms.length);
  expect(users.sequential.total - sequential).toBeLessThan(users.sequential.arms.length);
  expect(users.fixed.total).toBeGreaterThanOrEqual(fixed);
  expect(users.sequential.total).toBeGreaterThanOrEqual(sequential);
});

test("the effect that these users find is the effect they were planned for", async () => {
  const mean = { kind: "mean", baseline: 10, standard_deviation: 3 };
  const { body: forward } = await plan({ ...mean, effect: 0.3, effect_type: "absolute" });
  expect(forward.users.fixed.total).toBe(3_250);
  const { body: back } = await plan({ ...mean, users: forward.users.fixed.total });
  expect(back.effect.fixed?.absolute).toBeCloseTo(0.3, 3);
  expect(back.effect.fixed?.relative).toBeCloseTo(0.03, 4);
  expect(back.decrease?.fixed?.absolute).toBeCloseTo(-0.3, 3);
});

test("users find a change of a rate in either direction, as long as it stays a rate", async () => {
  const { body } = await plan({ baseline: 0.02, users: 200 });
  expect(body.effect.fixed?.absolute).toBeGreaterThan(0);
  expect(body.effect.fixed?.absolute).toBeLessThan(0.98);
  expect(body.decrease).toStrictEqual({ fixed: null, sequential: null });
});

test("a guardrail's margin may ask for more users than the metric itself", async () => {
  const guardrails = [{ metric_name: "crash", baseline: 0.025, margin: 0.002 }];
  const { body: alone } = await plan({ baseline: 0.1, effect: 0.2 });
  const { body } = await plan({ baseline: 0.1, effect: 0.2, guardrails });
  expect(body.users.fixed.asked_by).toBe("crash");
  expect(body.users.fixed.total).toBeGreaterThan(alone.users.fixed.total);
  expect(body.summary).toMatch(/“crash” asks for the most\.$/);
});

test.each([
  ["neither effect nor users", { baseline: 0.1 }, ["effect"]],
  ["both effect and users", { baseline: 0.1, effect: 0.1, users: 1_000 }, ["effect"]],
  ["a rate of 1", { baseline: 1, effect: 0.1 }, ["baseline"]],
  ["an effect that ends in a rate beyond 1", { baseline: 0.9, effect: 0.5 }, ["effect"]],
  ["an effect that ends in a rate of 0", { baseline: 0.1, effect: -1 }, ["effect"]],
  ["a mean without its spread", { kind: "mean", baseline: 1, effect: 0.1 }, ["standard_deviation"]],
  ["no effect at all", { baseline: 0.1, effect: 0 }, ["effect"]],
  ["a lift over nothing", { kind: "mean", standard_deviation: 1, baseline: 0, effect: 0.1 }, ["effect_type"]],
  ["certainty", { baseline: 0.1, effect: 0.1, confidence_level: 1 }, ["confidence_level"]],
  [
    "a plan that ends below 50 users in an arm",
    { kind: "mean", baseline: 1, standard_deviation: 1, effect: 3 },
    ["split"],
  ],
  ["an arm of fewer than 50 users", { baseline: 0.1, users: 200, split: 0.1 }, ["users"]],
  ["an effect that no number of users finds", { baseline: 0.1, effect: 1e-9 }, ["effect"]],
  [
    "a spread beyond all numbers",
    { kind: "mean", baseline: 1, standard_deviation: 1e200, effect: 1 },
    ["effect"],
  ],
  [
    "a guardrail with a rate of 2",
    { baseline: 0.1, effect: 0.1, guardrails: [{ metric_name: "c", baseline: 2, margin: 1 }] },
    ["guardrails[0].baseline"],
  ],
  [
    "guardrails where the users are given",
    { baseline: 0.1, users: 1_000, guardrails: [{ metric_name: "c", baseline: 0.2, margin: 0.1 }] },
    ["guardrails"],
  ],
])("refuses %s", async (_what, body, paths) => {
  expect(await faultPathsOf(plan(body))).toStrictEqual(["invalid", ...paths]);
});
