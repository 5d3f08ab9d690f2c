import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ExperimentCells } from "../../../../domain/experiments/cells.ts";
import type { MetricDefinition } from "../../../../domain/experiments/metric-declaration.ts";
import { ArmTable } from "../../../../domain/experiments/results/arms.ts";
import type { ComparisonReply } from "../../../../domain/experiments/results/comparison.ts";
import { compareAll, type Design } from "../../../../domain/experiments/results/comparisons.ts";
import { measuredMetrics } from "../../../../domain/experiments/results/measured-metric.ts";
import { cases } from "../../../random.ts";
import { cellsOf, cellsOver, experimentWith, type Stated, signup, variantsNamed } from "./stated-cells.ts";

const total: MetricDefinition = {
  metric_name: "total",
  kind: "mean",
  direction: "increase",
  role: "primary",
};
const ANY: Design = { alpha: 0.05, look: "any" };

function comparisonOf(
  cells: ExperimentCells,
  metric: MetricDefinition,
  design: Design = ANY,
): ComparisonReply {
  const experiment = experimentWith({ metrics: [metric] });
  const { arms } = new ArmTable(experiment.variants, cells.cells);
  const [control] = arms;
  const [compared] =
    control === undefined ? [] : compareAll(control, arms, measuredMetrics(experiment, arms), design);
  if (compared === undefined) throw new Error("there is no comparison");
  return compared.reply;
}

const converting = fc
  .integer({ min: 1, max: 3_000 })
  .chain((users) => fc.record({ users: fc.constant(users), signup: fc.integer({ min: 0, max: users }) }));
const Totals = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { maxLength: 80 });
const buying = Totals.chain((totals) =>
  fc.record({ users: fc.integer({ min: totals.length + 1, max: 3_000 }), total: fc.constant(totals) }),
);
const pairsOf = <T>(arm: fc.Arbitrary<T>) => fc.array(fc.tuple(arm, arm), { minLength: 1, maxLength: 5 });
const Looks = fc.constantFrom<Design>(
  ANY,
  { alpha: 0.05, look: "before_planned" },
  { alpha: 0.05, look: "planned" },
  { alpha: 0.2, look: "any" },
);

// A busy machine takes a few times as long as an idle one.
const PATIENCE_MS = cases(60_000);

type Periods = readonly (readonly [Stated, Stated])[];

const excludesZero = (interval: readonly [number, number] | null): boolean =>
  interval !== null && (interval[0] > 0 || interval[1] < 0);

function expectCoherent(reply: ComparisonReply, { alpha }: Design): void {
  const { interval, lift, lift_interval, p_value, judged, difference } = reply;
  if (interval === null || p_value === null || difference === null) {
    expect([interval, p_value, judged]).toEqual([null, null, "open"]);
    return;
  }
  const settled = excludesZero(interval);
  expect(settled).toBe(judged === "better" || judged === "worse");
  // A p-value within the rounding of α may fall on either side.
  if (Math.abs(p_value / alpha - 1) > 1e-9) expect(settled).toBe(p_value <= alpha);
  expect(interval[0]).toBeLessThanOrEqual(difference);
  expect(interval[1]).toBeGreaterThanOrEqual(difference);
  if (lift_interval !== null && lift !== null) {
    expect(excludesZero(lift_interval)).toBe(settled);
    expect(lift_interval[0] <= lift && lift <= lift_interval[1]).toBe(true);
  }
}

/** Every figure is a number or null. */
function expectFinite(reply: ComparisonReply): void {
  for (const value of Object.values({ ...reply, ...reply.if_you_must_choose }).flat()) {
    if (typeof value === "number") expect(Number.isFinite(value)).toBe(true);
  }
}

describe("a comparison", () => {
  test.each([
    ["conversions", pairsOf(converting) as fc.Arbitrary<Periods>, signup],
    ["totals", pairsOf(buying) as fc.Arbitrary<Periods>, total],
  ])(
    "of %s says one thing in its p-value, its intervals and its judgement",
    (_what, periods, metric) => {
      fc.assert(
        fc.property(periods, Looks, (stated, design) => {
          const reply = comparisonOf(cellsOver(...stated), metric, design);
          expectCoherent(reply, design);
          expectFinite(reply);
        }),
        { numRuns: cases(300) },
      );
    },
    PATIENCE_MS,
  );

  test(
    "of one of several variants or guardrails has a p-value that allows for all of them: it is compared with α",
    () => {
      const crash: MetricDefinition = {
        metric_name: "crash",
        kind: "conversion",
        direction: "decrease",
        role: "guardrail",
      };
      const experiment = experimentWith({
        variants: variantsNamed(["A", "B", "C"]),
        metrics: [signup, crash, { ...crash, metric_name: "slow" }],
      });
      const some = fc.integer({ min: 60, max: 3_000 }).chain((users) =>
        fc.record({
          users: fc.constant(users),
          signup: fc.integer({ min: 0, max: users }),
          crash: fc.integer({ min: 0, max: users }),
          slow: fc.integer({ min: 0, max: users }),
        }),
      );
      fc.assert(
        fc.property(fc.tuple(some, some, some), Looks, (stated, design) => {
          const { arms } = new ArmTable(experiment.variants, cellsOf(...stated).cells);
          const [control] = arms;
          if (control === undefined) throw new Error("there is no control");
          const compared = compareAll(control, arms, measuredMetrics(experiment, arms), design);
          expect(compared).toHaveLength(6);
          for (const { metric, reply } of compared) {
            expect(reply.level).toBeCloseTo(design.alpha / (metric.role === "guardrail" ? 4 : 2), 12);
            expectCoherent(reply, design);
          }
        }),
        { numRuns: cases(50) },
      );
    },
    PATIENCE_MS,
  );

  test("of swapped arms has the other sign and nothing else", () => {
    fc.assert(
      fc.property(pairsOf(converting), (periods) => {
        const one = comparisonOf(cellsOver(...periods), signup);
        const other = comparisonOf(cellsOver(...periods.map(([a, b]) => [b, a])), signup);
        expect(other.difference).toBeCloseTo(-(one.difference ?? 0), 12);
        expect(other.p_value ?? 2).toBeCloseTo(one.p_value ?? 2, 9);
        const [low, high] = one.interval ?? [0, 0];
        const [otherLow, otherHigh] = other.interval ?? [0, 0];
        expect(otherLow).toBeCloseTo(-high, 9);
        expect(otherHigh).toBeCloseTo(-low, 9);
      }),
    );
  });

  test("of values ten times as large has a difference and an interval ten times as large", () => {
    fc.assert(
      fc.property(pairsOf(buying), (periods) => {
        const tenfold = (arm: { users: number; total: number[] }) => ({
          ...arm,
          total: arm.total.map((value) => 10 * value),
        });
        const one = comparisonOf(cellsOver(...periods), total);
        const ten = comparisonOf(cellsOver(...periods.map(([a, b]) => [tenfold(a), tenfold(b)])), total);
        if (one.interval === null || one.difference === null) return;
        const scale = Math.max(...one.interval.map(Math.abs), 1e-300);
        expect((ten.difference ?? 0) / (10 * scale)).toBeCloseTo(one.difference / scale, 9);
        expect((ten.interval?.[0] ?? 0) / (10 * scale)).toBeCloseTo(one.interval[0] / scale, 9);
        expect((ten.interval?.[1] ?? 0) / (10 * scale)).toBeCloseTo(one.interval[1] / scale, 9);
        expect(ten.p_value ?? 2).toBeCloseTo(one.p_value ?? 2, 9);
      }),
    );
  });

  test("does not depend on the order in which its cells are read", () => {
    fc.assert(
      fc.property(pairsOf(converting), (periods) => {
        const cells = cellsOver(...periods);
        const reversed = { ...cells, cells: [...cells.cells].reverse() };
        expect(comparisonOf(reversed, signup)).toStrictEqual(comparisonOf(cells, signup));
      }),
    );
  });

  test("has the same p-value at every confidence level", () => {
    const cells = cellsOf({ users: 1_000, signup: 100 }, { users: 1_000, signup: 130 });
    const at = (alpha: number) => comparisonOf(cells, signup, { alpha, look: "any" });
    expect(at(0.2).p_value).toBe(at(0.01).p_value);
    expect(at(0.2).level).toBe(0.2);
  });

  test("leaves out users of weight periods in which an arm has none, and says how many", () => {
    const alone = cellsOver([
      { users: 1_000, signup: 100 },
      { users: 1_000, signup: 130 },
    ]);
    const ramped = cellsOver(
      [{ users: 5_000, signup: 4_000 }, { users: 0 }],
      [
        { users: 1_000, signup: 100 },
        { users: 1_000, signup: 130 },
      ],
    );
    const { users_left_out, ...reply } = comparisonOf(ramped, signup);
    expect({ ...reply, users_left_out: 0 }).toStrictEqual(comparisonOf(alone, signup));
    expect(users_left_out).toBe(5_000);
  });

  test("of a rate that fell while the weights changed finds no difference where there is none", () => {
    const cells = cellsOver(
      [
        { users: 5_000, signup: 1_000 },
        { users: 5_000, signup: 1_000 },
      ],
      [
        { users: 1_000, signup: 100 },
        { users: 9_000, signup: 900 },
      ],
    );
    const { difference, p_value, control_level, variant_level } = comparisonOf(cells, signup);
    expect([difference, p_value]).toEqual([0, 1]);
    expect(control_level).toBeCloseTo(0.173529411765, 12);
    expect(variant_level).toBe(control_level);
  });

  test("marks its interval as approximate while an arm has few conversions, or few users without one", () => {
    const approximate = (converted: number) =>
      comparisonOf(cellsOf({ users: 500, signup: 100 }, { users: 500, signup: converted }), signup)
        .approximate;
    expect([9, 10, 490, 491].map(approximate)).toEqual([true, false, false, true]);
  });
});

const one = [{ users: 100, total: Array.from({ length: 60 }, () => 2) }] as const;

test.each([
  ["no users", cellsOf({ users: 0 }, { users: 0 }), signup, ["NO_DATA"]],
  ["an empty arm", cellsOf({ users: 100, signup: 10 }, { users: 0 }), signup, ["TOO_FEW_USERS"]],
  ["49 users", cellsOf({ users: 49, signup: 10 }, { users: 500, signup: 10 }), signup, ["TOO_FEW_USERS"]],
  ["49 values", cellsOf({ users: 100, total: [1, 2, 3] }, ...one), total, ["TOO_FEW_WITH_A_VALUE"]],
  [
    "equal values",
    cellsOf(...one.map((arm) => ({ ...arm, users: 60 })), { users: 60, total: one[0].total }),
    total,
    ["ZERO_VARIANCE"],
  ],
  ["a control at 0", cellsOf({ users: 5_000 }, { users: 5_000, signup: 200 }), signup, ["ZERO_CONTROL_MEAN"]],
  [
    "a control close to 0",
    cellsOf({ users: 900, signup: 18 }, { users: 100 }),
    signup,
    ["CONTROL_NEAR_ZERO"],
  ],
] as const)("a figure that is missing with %s has a reason", (_what, cells, metric, reasons) => {
  const reply = comparisonOf(cells, metric);
  expect(reply.reasons).toEqual(reasons);
  expectFinite(reply);
});
