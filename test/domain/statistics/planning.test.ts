import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  additionalUsers,
  detectableDifference,
  detectableLift,
  powerForLift,
  powerOf,
  requiredStandardErrors,
  sampleSizeForMeans,
  sampleSizeForProportions,
  sequentialInflation,
} from "../../../domain/statistics/planning.ts";

const rates = { alpha: 0.05, power: 0.8 };

describe("a sample size", () => {
  test("and the detectable difference undo each other, also for unequal arms", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        fc.double({ min: 0.001, max: 10, noNaN: true }),
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        (variance, difference, ratio) => {
          const size = sampleSizeForMeans(variance, difference, rates, ratio);
          if (size === null) throw new Error("refused");
          expect(size.control / size.treatment).toBeCloseTo(ratio, 10);
          expect(detectableDifference(variance, size, rates) / difference).toBeCloseTo(1, 10);
        },
      ),
    );
  });

  test("is smallest for equal arms", () => {
    const total = (ratio: number) => {
      const size = sampleSizeForMeans(25, 0.5, rates, ratio);
      return (size?.control ?? 0) + (size?.treatment ?? 0);
    };
    for (const ratio of [0.25, 0.5, 2, 4]) expect(total(ratio)).toBeGreaterThan(total(1));
  });

  test("reaches the power that it was computed for", () => {
    const n = sampleSizeForProportions(0.1, 0.02, rates) ?? Number.NaN;
    const standardError = Math.sqrt((0.1 * 0.9 + 0.12 * 0.88) / n);
    expect(powerOf(0.02, standardError, 1.959963984540054)).toBeCloseTo(0.8, 5);
  });

  test("grows with power and with confidence", () => {
    const n = (alpha: number, power: number) => sampleSizeForProportions(0.1, 0.02, { alpha, power }) ?? 0;
    expect(n(0.05, 0.9)).toBeGreaterThan(n(0.05, 0.8));
    expect(n(0.01, 0.8)).toBeGreaterThan(n(0.05, 0.8));
    expect(requiredStandardErrors(rates)).toBeCloseTo(2.801585218112968, 12);
  });

  test.each([
    [0.1, 0],
    [0.95, 0.1],
    [0.05, -0.1],
  ])("does not exist for the rate %d and the difference %d", (baseline, difference) => {
    expect(sampleSizeForProportions(baseline, difference, rates)).toBeNull();
  });

  test("does not exist for no difference of means", () => {
    expect(sampleSizeForMeans(25, 0, rates)).toBeNull();
  });
});

describe("power", () => {
  const plan = { mean: 0.1, variance: 0.09, usersPerArm: 10_000, alpha: 0.05, tuningUsers: null };

  test("without an effect is the type I error", () => {
    expect(powerForLift(plan, 0)).toBeCloseTo(0.05, 12);
  });

  test("at the detectable lift is the power asked for", () => {
    const lift = detectableLift(plan, 0.8) ?? Number.NaN;
    expect(powerForLift(plan, lift)).toBeCloseTo(0.8, 5);
    const sequential = { ...plan, tuningUsers: 5_000 };
    expect(powerForLift(sequential, detectableLift(sequential, 0.8) ?? Number.NaN)).toBeCloseTo(0.8, 5);
  });

  test("costs something for every look that is allowed", () => {
    const sequential = { ...plan, tuningUsers: 5_000 };
    expect(powerForLift(sequential, 0.05)).toBeLessThan(powerForLift(plan, 0.05));
    expect(sequentialInflation(20_000, 0.05, 5_000)).toBeGreaterThan(1.5);
    expect(sequentialInflation(20_000, 0.05, null)).toBe(1);
  });

  test("finds no lift at all in arms that are too small", () => {
    expect(detectableLift({ ...plan, usersPerArm: 5 }, 0.8)).toBeNull();
  });
});

describe("the users still needed", () => {
  const arm = { n: 500, mean: 1, variance: 2 };

  test("are none when there are enough", () => {
    expect(additionalUsers(arm, { ...arm, mean: 1.5 }, 5, rates, 1_000)).toMatchObject({
      factor: 0,
      additional_users: 0,
    });
  });

  test("reach the power asked for", () => {
    for (const tuning of [null, 1_000]) {
      const more = additionalUsers(arm, { ...arm, mean: 1.02 }, 0.05, rates, tuning);
      expect("power" in more && more.power).toBeCloseTo(0.8, 9);
    }
  });

  test("are refused with the reason of the lift", () => {
    expect(additionalUsers({ ...arm, mean: 0 }, arm, 0.05, rates, null)).toEqual({
      reason: "ZERO_CONTROL_MEAN",
    });
    expect(additionalUsers({ ...arm, n: 1 }, arm, 0.05, rates, null)).toEqual({ reason: "TOO_FEW_USERS" });
  });

  test("are infinite for a lift of 0, which no sample can find", () => {
    const more = additionalUsers(arm, arm, 0, rates, null);
    expect("factor" in more && more.factor).toBe(Number.POSITIVE_INFINITY);
  });
});
