import { expect, test } from "vitest";
import type { MeasuredMetric } from "../../../../domain/experiments/results/measured-metric.ts";
import {
  type Observation,
  type SelfCheck,
  selfCheck,
} from "../../../../domain/experiments/results/self-check.ts";
import { seededRandom } from "../../../../domain/statistics/seeded-random.ts";

const signup: MeasuredMetric = {
  metric_name: "signup",
  kind: "conversion",
  direction: "increase",
  role: "primary",
  margin: null,
  cap: null,
  unit: null,
  declared_at: null,
};

function checked(
  metric: MeasuredMetric,
  users: number,
  withValue: readonly Observation[],
): SelfCheck | undefined {
  const steps = selfCheck({ test_id: 1, metric, sample: { users, withValue }, capped: false, seed: 7 });
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

const converted = (count: number): Observation[] => Array.from({ length: count }, () => ({ y: 1, d: 0 }));

test("a conversion rarely has a verdict between halves that are alike", () => {
  const report = checked(signup, 2_000, converted(300));
  expect(report).toMatchObject({ rounds: 500, users: 2_000, capped: false, seed: 7, ok: true });
  expect(report?.false_verdicts.any_time.share).toBeLessThanOrEqual(0.05);
  expect(report?.false_verdicts.planned.share).toBeLessThanOrEqual(0.08);
  expect(report?.p_values.tenths.reduce((sum, tenth) => sum + tenth, 0)).toBe(500);
  expect(report?.p_values.p_value).toBeGreaterThan(0.01);
});

test("money with a long tail rarely has one either", () => {
  const random = seededRandom(3);
  const amounts = Array.from({ length: 400 }, () => ({ y: Math.exp(3 * random()), d: 1 }));
  expect(checked({ ...signup, kind: "mean" }, 2_000, amounts)?.ok).toBe(true);
});

test("the same seed gives the same answer", () => {
  expect(checked(signup, 500, converted(100))).toStrictEqual(checked(signup, 500, converted(100)));
});

test.each([
  ["99 users", checked(signup, 60, converted(30))],
  ["a few values", checked({ ...signup, kind: "count" }, 1_000, converted(20))],
])("%s are too few for any verdict", (_what, report) => {
  expect(report).toBeUndefined();
});
