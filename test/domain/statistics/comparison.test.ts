import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Arm, armOf, conversionArm } from "../../../domain/statistics/arm.ts";
import { type Comparison, compareArms, compareConversions } from "../../../domain/statistics/comparison.ts";
import { normalCriticalValue } from "../../../domain/statistics/distributions.ts";
import { absoluteEffect, type Interval, standardError } from "../../../domain/statistics/effect.ts";
import { fiellerLift } from "../../../domain/statistics/fieller.ts";
import { momentsOf } from "../../../domain/statistics/moments.ts";
import { nonInferiorityTest, pooledProportionTest } from "../../../domain/statistics/normal-test.ts";
import { sequentialCriticalValue } from "../../../domain/statistics/sequential.ts";
import { welchTest } from "../../../domain/statistics/welch.ts";

const design = { alpha: 0.05, direction: "increase" } as const;
const arms = fc.record({
  n: fc.integer({ min: 2, max: 100_000 }),
  mean: fc.integer({ min: -700_000, max: 700_000 }).map((value) => value / 7_000),
  variance: fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
});
const conversions = fc
  .integer({ min: 2, max: 2_000 })
  .chain((users) => fc.record({ users: fc.constant(users), converted: fc.integer({ min: 0, max: users }) }));

const armFrom = (...values: number[]) => armOf(momentsOf(values));
const excludesZero = ([lower, upper]: Interval) => lower > 0 || upper < 0;
const flipped = (interval: Interval | null) => interval && [0 - interval[1], 0 - interval[0]];

/** What must come out when control and treatment change places. */
function swapped(comparison: Comparison) {
  return {
    difference: 0 - (comparison.difference ?? 0),
    standard_error: comparison.standard_error,
    fixed: { p_value: comparison.fixed.p_value, interval: flipped(comparison.fixed.interval) },
    sequential: { p_value: comparison.sequential.p_value, interval: flipped(comparison.sequential.interval) },
    bayesian: flipped(comparison.bayesian.interval),
  };
}

function absolutePart({ difference, standard_error, fixed, sequential, bayesian }: Comparison) {
  return { difference, standard_error, fixed, sequential, bayesian: bayesian.interval };
}

describe("a comparison", () => {
  test("with its arms swapped changes the sign and nothing else", () => {
    fc.assert(
      fc.property(arms, arms, (a, b) => {
        fc.pre(a.mean !== b.mean);
        expect(absolutePart(compareArms(b, a, design))).toEqual(swapped(compareArms(a, b, design)));
      }),
    );
  });

  test("with its arms swapped has the opposite chance to win and the other decision's loss", () => {
    fc.assert(
      fc.property(arms, arms, (a, b) => {
        const [there, back] = [compareArms(a, b, design), compareArms(b, a, design)];
        const sum = (there.bayesian.chance_to_win ?? 0) + (back.bayesian.chance_to_win ?? 0);
        expect(sum).toBeCloseTo(1, 12);
        const mirrored = compareArms(b, a, { ...design, direction: "decrease" });
        expect(mirrored.bayesian.chance_to_win).toBe(there.bayesian.chance_to_win);
        expect(mirrored.bayesian.expected_loss).toBe(there.bayesian.expected_loss);
      }),
    );
  });

  test("has p-values and chances between 0 and 1, and intervals around the difference", () => {
    fc.assert(
      fc.property(arms, arms, (a, b) => {
        const { difference, fixed, sequential, bayesian } = compareArms(a, b, design);
        for (const share of [fixed.p_value, sequential.p_value, bayesian.chance_to_win]) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(1);
        }
        for (const interval of [fixed.interval, sequential.interval, bayesian.interval]) {
          expect(interval?.[0]).toBeLessThanOrEqual(difference ?? Number.NaN);
          expect(interval?.[1]).toBeGreaterThanOrEqual(difference ?? Number.NaN);
        }
        expect(bayesian.expected_loss).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("excludes 0 by an interval exactly when the p-value is below alpha", () => {
    fc.assert(
      fc.property(arms, arms, fc.double({ min: 0.001, max: 0.3, noNaN: true }), (a, b, alpha) => {
        const { fixed, sequential } = compareArms(a, b, { ...design, alpha });
        for (const { p_value, interval } of [fixed, sequential]) {
          fc.pre(p_value !== null && interval !== null && Math.abs(p_value / alpha - 1) > 1e-9);
          expect(excludesZero(interval)).toBe(p_value < alpha);
        }
      }),
    );
  });

  test("has a wider interval by the sequence than by the fixed test, for arms of more than a few users", () => {
    const larger = arms.filter(({ n }) => n >= 30);
    fc.assert(
      fc.property(larger, larger, (a, b) => {
        const { fixed, sequential } = compareArms(a, b, design);
        expect(sequential.interval?.[0]).toBeLessThan(fixed.interval?.[0] ?? Number.NaN);
        expect(sequential.interval?.[1]).toBeGreaterThan(fixed.interval?.[1] ?? Number.NaN);
      }),
    );
  });

  test("scales with the unit of the values", () => {
    const scaled = (arm: Arm, factor: number) => ({
      n: arm.n,
      mean: arm.mean * factor,
      variance: arm.variance * factor * factor,
    });
    fc.assert(
      fc.property(arms, arms, fc.integer({ min: -400, max: 400 }), (a, b, exponent) => {
        const factor = 2 ** exponent;
        const [plain, other] = [
          compareArms(a, b, design),
          compareArms(scaled(a, factor), scaled(b, factor), design),
        ];
        expect(other.fixed.p_value).toBe(plain.fixed.p_value);
        expect(other.difference).toBe((plain.difference ?? 0) * factor);
        expect(other.relative).toEqual(plain.relative);
      }),
    );
  });

  test("of published data gives the reference figures", () => {
    const retention = compareConversions(
      { users: 44_700, converted: 20_034 },
      { users: 45_489, converted: 20_119 },
      design,
    );
    expect(retention.difference).toBeCloseTo(-0.00590517, 8);
    expect(retention.standard_error).toBeCloseTo(0.00330989, 8);
    expect(retention.fixed.p_value).toBeCloseTo(0.0744112, 7);
    expect(retention.exact).toBeNull();
    const later = compareConversions(
      { users: 44_700, converted: 8_502 },
      { users: 45_489, converted: 8_279 },
      design,
    );
    expect(later.fixed.p_value).toBeCloseTo(0.00155634, 8);
  });
});

describe("a tiny p-value", () => {
  test("keeps its digits, where the oracle's absolute tolerance would let it vanish", () => {
    const control = { n: 104, mean: 3, variance: (984 - 104 * 9) / 103 };
    const treatment = { n: 1009, mean: 1969 / 1009, variance: (5767 - 1969 ** 2 / 1009) / 1008 };
    const { fixed, sequential } = compareArms(control, treatment, design);
    expect((fixed.p_value ?? 0) / 5.553362264519024e-29).toBeCloseTo(1, 10);
    expect(sequential.p_value).toBeGreaterThan(1e-40);
    expect(sequential.p_value).toBeLessThan(1e-15);
  });
});

describe("Fieller's interval of the lift", () => {
  const critical = fc.double({ min: 0.5, max: 5, noNaN: true });

  test("excludes 0 exactly when the absolute test does, at any critical value", () => {
    fc.assert(
      fc.property(arms, arms, critical, (a, b, c) => {
        const { interval } = fiellerLift(a, b, c);
        const t = Math.abs(b.mean - a.mean) / standardError(a, b);
        fc.pre(interval !== null && Math.abs(t / c - 1) > 1e-6);
        expect(excludesZero(interval)).toBe(t > c);
      }),
      { numRuns: 500 },
    );
  });

  test("agrees with the fixed and the sequential test of the same comparison", () => {
    const near = arms.map((arm) => ({ ...arm, mean: 10 + arm.mean / 500 }));
    fc.assert(
      fc.property(near, near, (a, b) => {
        const { fixed, sequential, relative, sequential_relative } = compareArms(a, b, design);
        fc.pre(relative.interval !== null && sequential_relative.interval !== null);
        fc.pre(Math.abs((fixed.p_value ?? 1) - 0.05) > 1e-6);
        expect(excludesZero(relative.interval)).toBe((fixed.p_value ?? 1) < 0.05);
        expect(excludesZero(sequential_relative.interval)).toBe((sequential.p_value ?? 1) < 0.05);
      }),
    );
  });

  test("is bounded exactly when the control mean itself can be told from 0", () => {
    fc.assert(
      fc.property(arms, arms, critical, (a, b, c) => {
        fc.pre(a.mean !== 0);
        const { interval, reason, lift, g } = fiellerLift(a, b, c);
        const bounded = Math.abs(a.mean) / Math.sqrt(a.variance / a.n) > c;
        fc.pre(Math.abs((g ?? 1) - 1) > 1e-9);
        expect(interval !== null).toBe(bounded);
        expect(reason).toBe(bounded ? null : "CONTROL_NEAR_ZERO");
        expect(lift).toBe((b.mean - a.mean) / Math.abs(a.mean));
      }),
    );
  });

  test("is mirrored when both means change their sign", () => {
    const negative = (arm: Arm) => ({ ...arm, mean: -arm.mean });
    fc.assert(
      fc.property(arms, arms, (a, b) => {
        const [plain, mirrored] = [fiellerLift(a, b, 1.5), fiellerLift(negative(a), negative(b), 1.5)];
        fc.pre(plain.interval !== null);
        expect(mirrored.interval).toEqual(flipped(plain.interval));
      }),
    );
  });
});

describe("figures that the data do not allow", () => {
  const nothing = {
    difference: null,
    standard_error: null,
    fixed: { p_value: null, interval: null },
    sequential: { p_value: null, interval: null },
    bayesian: { chance_to_win: null, expected_loss: null, interval: null },
    exact: null,
  };
  const lifeless = (reason: string, lift: number | null = null) => ({ lift, interval: null, reason });

  test.each([
    ["two empty arms", [], [], "NO_DATA"],
    ["an empty control", [], [1, 2, 3], "TOO_FEW_USERS"],
    ["a control of one user", [4], [1, 2, 3], "TOO_FEW_USERS"],
    ["a treatment of one user", [1, 2, 3], [4], "TOO_FEW_USERS"],
  ])("are all null for %s", (_name, control, treatment, reason) => {
    expect(compareArms(armFrom(...control), armFrom(...treatment), design)).toEqual({
      ...nothing,
      reason,
      relative: lifeless(reason),
      sequential_relative: lifeless(reason),
    });
  });

  test("leave the difference and the lift when neither arm varies", () => {
    expect(compareArms(armFrom(5, 5, 5), armFrom(6, 6, 6), design)).toEqual({
      ...nothing,
      difference: 1,
      standard_error: 0,
      reason: "ZERO_VARIANCE",
      relative: lifeless("ZERO_VARIANCE", 0.2),
      sequential_relative: lifeless("ZERO_VARIANCE", 0.2),
    });
  });

  test("are none when one arm varies and the other does not", () => {
    const comparison = compareArms(armFrom(5, 5, 5, 5), armFrom(4, 6, 7, 9), design);
    expect(comparison.reason).toBeNull();
    expect(comparison.fixed.p_value).toBeCloseTo(0.24519388179494744, 12);
    expect(comparison.relative.reason).toBeNull();
  });

  test("leave the absolute difference when the control mean is 0", () => {
    const comparison = compareArms(armFrom(0, 0, 0, 0), armFrom(0, 1, 0, 3), design);
    expect(comparison.relative).toEqual(lifeless("ZERO_CONTROL_MEAN"));
    expect(comparison.difference).toBe(1);
    expect(comparison.fixed.p_value).toBeCloseTo(0.2522154963555042, 12);
  });

  test("leave the lift without interval when the control mean is near 0", () => {
    const comparison = compareArms(armFrom(-1, 1, 0.1, -0.05), armFrom(4, 5, 6, 7), design);
    expect(comparison.relative.lift).toBeGreaterThan(100);
    expect(comparison.relative.interval).toBeNull();
    expect(comparison.relative.reason).toBe("CONTROL_NEAR_ZERO");
    expect(comparison.fixed.interval).not.toBeNull();
  });

  test("are none for refunds: negative values keep the sign of the lift", () => {
    const comparison = compareArms(armFrom(-10, -11, -9, -10), armFrom(-5, -6, -4, -5), design);
    expect(comparison.relative.lift).toBeCloseTo(0.5, 12);
    expect(comparison.relative.interval?.[0]).toBeGreaterThan(0);
  });

  test.each([1e15, 1e7])("are none for values near %d, whose small differences still count", (offset) => {
    const near = compareArms(
      armFrom(offset, offset + 1, offset + 2),
      armFrom(offset + 4, offset + 5, offset + 6),
      design,
    );
    const small = compareArms(armFrom(0, 1, 2), armFrom(4, 5, 6), design);
    expect(near.difference).toBe(4);
    expect(near.fixed.p_value).toBeCloseTo(small.fixed.p_value ?? Number.NaN, 12);
  });

  test("never throw, and are null rather than NaN or infinite, whatever the arms", () => {
    const any = fc.record({
      n: fc.nat(3),
      mean: fc.constantFrom(0, 1, -1, 1e-300, 1e15),
      variance: fc.constantFrom(0, 1, 1e-24, 1e30),
    });
    fc.assert(
      fc.property(any, any, (a, b) => {
        const texts = JSON.stringify(compareArms(a, b, design), (_key, value) =>
          typeof value === "number" && !Number.isFinite(value) ? "not a number" : value,
        );
        expect(texts).not.toContain("not a number");
      }),
    );
  });
});

describe("exact figures of a comparison", () => {
  test("answer 0 of 1000 against 5 of 1000", () => {
    const comparison = compareConversions(
      { users: 1_000, converted: 0 },
      { users: 1_000, converted: 5 },
      design,
    );
    expect(comparison.exact?.p_value).toBeCloseTo(0.0621875785, 9);
    expect(comparison.relative.reason).toBe("ZERO_CONTROL_MEAN");
    expect(comparison.reason).toBeNull();
  });

  test("stand beside any comparison with a cell under 5, and beside no other", () => {
    fc.assert(
      fc.property(conversions, conversions, (a, b) => {
        const cells = [a.converted, b.converted, a.users - a.converted, b.users - b.converted];
        const { exact } = compareConversions(a, b, design);
        expect(exact !== null).toBe(Math.min(...cells) < 5);
      }),
    );
  });

  test("are there when nobody converts, where no other test answers", () => {
    const nobody = { users: 40, converted: 0 };
    const comparison = compareConversions(nobody, nobody, design);
    expect(comparison.reason).toBe("ZERO_VARIANCE");
    expect(comparison.exact).toMatchObject({ p_value: 1 });
    expect(comparison.exact?.chance_to_win).toBeCloseTo(0.5, 12);
  });

  test("mirror the chance to win where less is better", () => {
    const [a, b] = [
      { users: 20, converted: 1 },
      { users: 20, converted: 6 },
    ];
    const more = compareConversions(a, b, design).exact?.chance_to_win ?? Number.NaN;
    const less = compareConversions(a, b, { ...design, direction: "decrease" }).exact?.chance_to_win;
    expect(less).toBeCloseTo(1 - more, 12);
  });

  test("are missing without users", () => {
    const none = { users: 0, converted: 0 };
    expect(compareConversions(none, none, design)).toMatchObject({ reason: "NO_DATA", exact: null });
  });
});

describe("one-sided and pooled tests", () => {
  test("share one p-value between the two sides", () => {
    fc.assert(
      fc.property(arms, arms, (a, b) => {
        const [greater, less] = [welchTest(a, b, 0.05, "greater"), welchTest(a, b, 0.05, "less")];
        if ("reason" in greater || "reason" in less) throw new Error("refused");
        expect(greater.p_value + less.p_value).toBeCloseTo(1, 12);
        expect(greater.interval[1]).toBe(Number.POSITIVE_INFINITY);
        expect(less.interval[0]).toBe(Number.NEGATIVE_INFINITY);
      }),
    );
  });

  test("refuse with a reason instead of dividing by 0", () => {
    const everybody = { users: 5, converted: 5 };
    expect(pooledProportionTest(everybody, everybody)).toEqual({ reason: "ZERO_VARIANCE" });
    expect(pooledProportionTest({ users: 0, converted: 0 }, everybody)).toEqual({ reason: "NO_DATA" });
    expect(nonInferiorityTest(armFrom(1), armFrom(1, 2), 0.1, 0.05)).toEqual({ reason: "TOO_FEW_USERS" });
    expect(absoluteEffect(conversionArm(everybody), conversionArm(everybody))).toEqual({
      reason: "ZERO_VARIANCE",
    });
  });

  test("agree on the normal critical value that the sequence always exceeds", () => {
    for (const users of [10, 1_000, 1e6, 1e9]) {
      const sequence = sequentialCriticalValue(users, { alpha: 0.05, tuningUsers: 1_000 });
      expect(sequence).toBeGreaterThan(normalCriticalValue(0.05));
    }
  });
});
