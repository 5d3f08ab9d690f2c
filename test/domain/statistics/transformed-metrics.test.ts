import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allocationWithFloor } from "../../../domain/statistics/allocation.ts";
import { armOf } from "../../../domain/statistics/arm.ts";
import { cupedArm, cupedRelativeEffect, cupedTheta } from "../../../domain/statistics/cuped.ts";
import { relativeEffect } from "../../../domain/statistics/effect.ts";
import { momentsOf } from "../../../domain/statistics/moments.ts";
import { addPair, noPairs, type PairedMoments } from "../../../domain/statistics/paired-moments.ts";
import { quantileArm } from "../../../domain/statistics/quantile.ts";
import { ratioArm } from "../../../domain/statistics/ratio.ts";
import { sampleQuantile, winsorize, winsorizingCap } from "../../../domain/statistics/winsorize.ts";

const collect = (list: readonly (readonly [number, number])[]): PairedMoments =>
  list.reduce((moments, [x, y]) => addPair(moments, x, y), noPairs);
const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: -100, max: 100 })), {
  minLength: 2,
  maxLength: 30,
});

describe("CUPED", () => {
  test("never raises the variance of both arms together", () => {
    fc.assert(
      fc.property(pairs, (list) => {
        const moments = collect(list);
        const adjusted = cupedArm(moments, cupedTheta(moments, moments));
        expect(adjusted.variance).toBeLessThanOrEqual(armOf(moments.y).variance + 1e-6);
      }),
    );
  });

  test("removes all variance that the past explains", () => {
    const moments = collect([1, 2, 5, 9].map((x) => [x, 3 * x + 1] as const));
    expect(cupedTheta(moments, moments)).toBeCloseTo(3, 12);
    expect(cupedArm(moments, 3)).toMatchObject({ n: 4, mean: expect.closeTo(1, 12) });
    expect(cupedArm(moments, 3).variance).toBeCloseTo(0, 10);
  });

  test("leaves the metric as it is when the past says nothing", () => {
    const control = collect([4, 7, 9].map((y) => [2, y] as const));
    const treatment = collect([5, 8, 11].map((y) => [2, y] as const));
    expect(cupedTheta(control, treatment)).toBe(0);
    expect(cupedArm(control, 0)).toEqual(armOf(control.y));
    const effect = cupedRelativeEffect(control, treatment);
    const plain = relativeEffect(armOf(control.y), armOf(treatment.y));
    expect("estimate" in effect && effect.estimate).toBeCloseTo("estimate" in plain ? plain.estimate : 0, 14);
    expect("estimate" in effect && effect.standard_error).toBeCloseTo(
      "estimate" in plain ? plain.standard_error : 0,
      14,
    );
  });

  test("has one theta, whichever arm is the control", () => {
    fc.assert(
      fc.property(pairs, pairs, (a, b) => {
        expect(cupedTheta(collect(a), collect(b))).toBeCloseTo(cupedTheta(collect(b), collect(a)), 9);
      }),
    );
  });

  test("refuses with a reason", () => {
    const some = collect([
      [1, 2],
      [2, 5],
    ]);
    expect(cupedRelativeEffect(collect([[1, 2]]), some)).toEqual({ reason: "TOO_FEW_USERS" });
    expect(cupedRelativeEffect(noPairs, noPairs)).toEqual({ reason: "NO_DATA" });
    const zero = collect([
      [1, -1],
      [2, 1],
    ]);
    expect(cupedRelativeEffect(zero, some)).toEqual({ reason: "ZERO_CONTROL_MEAN" });
    const still = collect([
      [1, 2],
      [1, 2],
    ]);
    expect(cupedRelativeEffect(still, still)).toEqual({ reason: "ZERO_VARIANCE" });
  });
});

describe("a ratio metric", () => {
  test("with one event per user is the plain mean", () => {
    const values = [3, 5, 8, 13];
    expect(ratioArm(collect(values.map((value) => [1, value] as const)))).toEqual(armOf(momentsOf(values)));
  });

  test("that is the same for every user has no variance, however many events they have", () => {
    const arm = ratioArm(
      collect([
        [1, 2],
        [5, 10],
        [3, 6],
      ]),
    );
    expect("mean" in arm && arm.mean).toBe(2);
    expect("mean" in arm && arm.variance).toBeCloseTo(0, 12);
  });

  test("refuses with a reason", () => {
    expect(ratioArm(noPairs)).toEqual({ reason: "NO_DATA" });
    expect(ratioArm(collect([[0, 3]]))).toEqual({ reason: "NO_DATA" });
    expect(ratioArm(collect([[2, 3]]))).toEqual({ reason: "TOO_FEW_USERS" });
  });
});

describe("winsorizing", () => {
  test("lowers what is above the cap and nothing else", () => {
    expect(winsorize([-5, 0, 3, 4, 900], 4)).toEqual([-5, 0, 3, 4, 4]);
  });

  test("takes a cap between the smallest and the largest value", () => {
    const values = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, percentile) => {
        const cap = winsorizingCap(list, { percentile, ignoreZeros: false }) ?? Number.NaN;
        expect(cap).toBeGreaterThanOrEqual(Math.min(...list));
        expect(cap).toBeLessThanOrEqual(Math.max(...list));
      }),
    );
  });

  test("has no cap without values", () => {
    expect(winsorizingCap([], { percentile: 0.9, ignoreZeros: false })).toBeNull();
    expect(winsorizingCap([0, 0], { percentile: 0.9, ignoreZeros: true })).toBeNull();
    expect(sampleQuantile([7], 0.3)).toBe(7);
  });
});

describe("a quantile metric", () => {
  test("refuses with a reason", () => {
    const sample = { probability: 0.9, value: 5, lower: 4, upper: 6 };
    expect(quantileArm({ ...sample, n: 30 }, 0.05)).toEqual({ reason: "TOO_FEW_USERS" });
    expect(quantileArm({ ...sample, n: 100, lower: 5, upper: 5 }, 0.05)).toEqual({ reason: "ZERO_VARIANCE" });
    expect(quantileArm({ ...sample, n: 100 }, 0.05)).toMatchObject({ n: 100, mean: 5 });
  });
});

describe("an allocation with a floor", () => {
  test("adds up to 1 and leaves every arm its floor", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 10 }),
        fc.double({ min: -0.5, max: 1.5, noNaN: true }),
        (raw, floor) => {
          const sum = raw.reduce((a, b) => a + b, 0);
          const shares = allocationWithFloor(
            raw.map((weight) => weight / sum),
            floor,
          );
          expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
          for (const share of shares)
            expect(share).toBeGreaterThanOrEqual(Math.min(floor, 1 / raw.length) - 1e-12);
        },
      ),
    );
  });
});
