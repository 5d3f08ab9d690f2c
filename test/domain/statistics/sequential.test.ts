import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Interval } from "../../../domain/statistics/effect.ts";
import {
  defaultTuningUsers,
  mixtureParameter,
  runningIntersection,
  runningMinimum,
  type SequentialDesign,
  sequentialCriticalValue,
  sequentialTest,
} from "../../../domain/statistics/sequential.ts";

const design = { alpha: 0.05, tuningUsers: defaultTuningUsers };
const users = fc.integer({ min: 2, max: 1_000_000 });
const estimates = fc.double({ min: -50, max: 50, noNaN: true });
const alphas = fc.double({ min: 0.001, max: 0.2, noNaN: true });
const effectOf = (t: number) => ({ estimate: t, standard_error: 1 });

describe("a confidence sequence", () => {
  test.each(["two_sided", "greater", "less"] as const)(
    "excludes 0 exactly when its p-value is below alpha: %s",
    (alternative) => {
      fc.assert(
        fc.property(users, estimates, alphas, (n, t, alpha) => {
          const { p_value, interval } = sequentialTest(effectOf(t), n, { ...design, alpha, alternative });
          fc.pre(Math.abs(p_value / alpha - 1) > 1e-9);
          expect(interval[0] > 0 || interval[1] < 0).toBe(p_value < alpha);
        }),
        { numRuns: 300 },
      );
    },
  );

  test("has a p-value that falls as the effect grows, also below the smallest double", () => {
    const logs = [0, 1, 3, 10, 50, 1e4].map((t) => sequentialTest(effectOf(t), 1_000, design).log_p);
    expect([...logs].sort((a, b) => b - a)).toEqual(logs);
    expect(logs.at(-1)).toBeLessThan(-1e6);
    expect(sequentialTest(effectOf(1e4), 1_000, design).p_value).toBe(0);
  });

  test("one-sided says nothing about an effect on the other side", () => {
    const greater: SequentialDesign = { ...design, alternative: "greater" };
    expect(sequentialTest(effectOf(-8), 500, greater).p_value).toBe(1);
    expect(sequentialTest(effectOf(0), 500, greater).p_value).toBe(1);
    expect(sequentialTest(effectOf(8), 500, greater).p_value).toBeLessThan(1e-6);
    expect(sequentialTest(effectOf(-8), 500, { ...design, alternative: "less" }).p_value).toBe(
      sequentialTest(effectOf(8), 500, greater).p_value,
    );
    expect(sequentialTest(effectOf(1e4), 500, greater).log_p).toBeLessThan(-1e6);
  });

  test("one-sided is a little narrower than two-sided on the side that it looks at", () => {
    for (const n of [100, 1_000, 100_000]) {
      const one = sequentialCriticalValue(n, { ...design, alternative: "greater" });
      expect(one).toBeLessThan(sequentialCriticalValue(n, design));
      expect(one).toBeGreaterThan(1.6449);
    }
  });

  test("is narrowest, in standard errors, near the number of users that it was tuned for", () => {
    const at = (n: number) => sequentialCriticalValue(n, { alpha: 0.05, tuningUsers: 5_000 });
    expect(at(5_000)).toBeLessThan(at(500));
    expect(mixtureParameter(0.05, 5_000)).toBeCloseTo(0.03984006677137368, 14);
    // Squared half-width at N users per unit of variance is c²·SE² with SE² ∝ 1/N.
    const tuned = sequentialCriticalValue(5_000, { alpha: 0.05, tuningUsers: 5_000 });
    for (const other of [500, 50_000]) {
      expect(sequentialCriticalValue(5_000, { alpha: 0.05, tuningUsers: other })).toBeGreaterThan(tuned);
    }
  });
});

describe("figures kept over time", () => {
  const intervals = fc
    .tuple(estimates, fc.double({ min: 0.1, max: 60, noNaN: true }))
    .map(([centre, half]): Interval => [centre - half, centre + half]);

  test("hold the smallest p-value so far", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), (pValues) => {
        const last = pValues.reduce<number | null>(runningMinimum, null);
        expect(last).toBe(Math.min(...pValues));
      }),
    );
  });

  test("never widen and never turn inside out", () => {
    fc.assert(
      fc.property(fc.array(intervals, { minLength: 1 }), (looks) => {
        let kept: Interval | null = null;
        for (const look of looks) {
          const next: Interval = runningIntersection(kept, look);
          expect(next[0]).toBeLessThanOrEqual(next[1]);
          expect(next[0]).toBeGreaterThanOrEqual(kept?.[0] ?? Number.NEGATIVE_INFINITY);
          expect(next[1]).toBeLessThanOrEqual(kept?.[1] ?? Number.POSITIVE_INFINITY);
          kept = next;
        }
      }),
    );
  });

  test("do not lose an established difference when the effect drifts", () => {
    expect(runningIntersection([1, 2], [-3, 0.5])).toEqual([1, 2]);
    expect(runningIntersection([1, 2], [1.5, 4])).toEqual([1.5, 2]);
    expect(runningIntersection(null, [1, 2])).toEqual([1, 2]);
  });
});
