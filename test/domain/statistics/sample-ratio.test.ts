import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  chiSquaredSplit,
  expectedUsers,
  leakedUsers,
  sampleRatio,
  sequentialSplitPValue,
} from "../../../domain/statistics/sample-ratio.ts";

const counts = fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 2, maxLength: 6 });
const even = (users: readonly number[]) => users.map(() => 1);

describe("the sample ratio", () => {
  test("of an even split is fine", () => {
    const { ok, reason, p_value, expected, leaked } = sampleRatio([{ weights: [1, 1], users: [502, 498] }]);
    expect({ ok, reason, expected, leaked }).toEqual({
      ok: true,
      reason: null,
      expected: [500, 500],
      leaked: 0,
    });
    expect(p_value).toBeCloseTo(0.8993431885613663, 13);
  });

  test("of published data gives the reference figures", () => {
    const { ok, chi_square, p_value } = sampleRatio([{ weights: [50, 50], users: [44_700, 45_489] }]);
    expect(chi_square).toBeCloseTo(6.9024, 4);
    expect(p_value).toBeCloseTo(0.00860799, 8);
    expect(ok).toBe(true);
  });

  test("of a broken split raises the alarm", () => {
    expect(sampleRatio([{ weights: [1, 1], users: [600, 400] }]).ok).toBe(false);
  });

  test("raises the alarm by the sequential test alone, and keeps it", () => {
    const periods = [{ weights: [1, 1], users: [502, 498] }];
    expect(sampleRatio(periods, 0.009)).toMatchObject({ ok: false, sequential_p_value: 0.009 });
    expect(sampleRatio(periods, 0.011)).toMatchObject({ ok: true, sequential_p_value: 0.011 });
    expect(sampleRatio(periods).sequential_p_value).toBe(1);
  });

  test("shows its figures below 100 users, but chi-squared raises no alarm", () => {
    const { ok, reason, p_value } = sampleRatio([{ weights: [1, 1], users: [63, 27] }]);
    expect(p_value).toBeLessThan(0.001);
    expect({ ok, reason }).toEqual({ ok: true, reason: "TOO_FEW_USERS" });
    expect(sampleRatio([{ weights: [99, 1], users: [290, 10] }])).toMatchObject({
      ok: true,
      reason: "TOO_FEW_USERS",
    });
  });

  test("is missing without users and with a single arm", () => {
    const nothing = {
      ok: true,
      chi_square: null,
      p_value: null,
      sequential_p_value: null,
      reason: "NO_DATA",
    };
    expect(sampleRatio([])).toEqual({ ...nothing, expected: [], leaked: 0 });
    expect(sampleRatio([{ weights: [1, 1], users: [0, 0] }])).toMatchObject(nothing);
    expect(sampleRatio([{ weights: [1, 0], users: [70, 0] }])).toMatchObject(nothing);
  });

  test("reports users in an arm of weight 0 as a leak and keeps them out of the tests", () => {
    const leaky = sampleRatio([{ weights: [0.5, 0.5, 0], users: [1000, 1200, 900] }]);
    expect(leaky.leaked).toBe(900);
    expect(leaky.p_value).toBeCloseTo(2.007865612426481e-5, 14);
    expect(leaky).toEqual({
      ...sampleRatio([{ weights: [1, 1], users: [1000, 1200] }]),
      expected: [1100, 1100, 0],
      leaked: 900,
    });
  });

  test("expects users by the weights in force when they were assigned", () => {
    const periods = [
      { weights: [90, 10], users: [900, 100] },
      { weights: [50, 50], users: [500, 500] },
    ];
    expect(expectedUsers(periods)).toEqual([1400, 600]);
    expect(sampleRatio(periods)).toMatchObject({ ok: true, chi_square: 0, p_value: 1 });
    // By the last weights alone the same users would be a broken split.
    expect(sampleRatio([{ weights: [50, 50], users: [1400, 600] }]).ok).toBe(false);
  });

  test("counts a leak in the period in which the arm was closed", () => {
    const periods = [
      { weights: [1, 0], users: [100, 5] },
      { weights: [1, 1], users: [200, 200] },
    ];
    expect(leakedUsers(periods)).toBe(5);
    expect(expectedUsers(periods)).toEqual([300, 200]);
    expect(sampleRatio(periods)).toMatchObject({ ok: true, leaked: 5, chi_square: 0 });
  });

  test("does not depend on the scale of the weights or the order of the arms", () => {
    fc.assert(
      fc.property(counts, fc.double({ min: 0.01, max: 100, noNaN: true }), (users, scale) => {
        fc.pre(users.some((count) => count > 0));
        const weights = users.map((_, arm) => arm + 1);
        const plain = sampleRatio([{ weights, users }]);
        const other = sampleRatio([
          { weights: weights.map((weight) => weight * scale).reverse(), users: [...users].reverse() },
        ]);
        expect(other.p_value).toBeCloseTo(plain.p_value ?? Number.NaN, 9);
        expect(other.sequential_p_value).toBeCloseTo(plain.sequential_p_value ?? Number.NaN, 9);
      }),
    );
  });

  test("has p-values between 0 and 1", () => {
    fc.assert(
      fc.property(counts, (users) => {
        fc.pre(users.some((count) => count > 0));
        const split = chiSquaredSplit(users, even(users));
        const p = "reason" in split ? Number.NaN : split.p_value;
        for (const value of [p, sequentialSplitPValue([{ weights: even(users), users }])]) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test("by the sequential test multiplies the evidence of its periods", () => {
    const period = { weights: [1, 1], users: [560, 440] };
    const once = sequentialSplitPValue([period]);
    expect(once).toBeLessThan(1);
    expect(sequentialSplitPValue([period, period])).toBeCloseTo(once * once, 12);
  });
});
