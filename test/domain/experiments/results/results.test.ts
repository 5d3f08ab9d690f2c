import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ExperimentCells, RawValues } from "../../../../domain/experiments/cells.ts";
import { resultsOf } from "../../../../domain/experiments/results/results.ts";
import { DAY } from "../../../../domain/time.ts";
import { cases } from "../../../random.ts";
import { NOW } from "../../../world.ts";
import {
  cellsOf,
  cellsOver,
  crash,
  experimentWith,
  type Stated,
  signup,
  sumsOf,
  variantsNamed,
} from "./stated-cells.ts";

const total = { metric_name: "total", kind: "mean", direction: "increase", role: "primary" } as const;

const raw = (variant_id: number, values: readonly number[]): RawValues => ({
  variant_id,
  metric_name: "signup",
  count: values.length,
  sum: values.reduce((sum, value) => sum + value, 0),
  min: values.length === 0 ? null : Math.min(...values),
  max: values.length === 0 ? null : Math.max(...values),
  dropped: { before_assignment: 1, after_stop: 2, after_window: 3, wrong_type: 4, out_of_range: 5 },
});

describe("results", () => {
  test("show each variant's users, values and figures, and what did not count", () => {
    const cells = {
      ...cellsOf({ users: 200, signup: 20 }, { users: 200, signup: 30 }),
      raw: [raw(1, [1, 3])],
    };
    const [control, variant] = resultsOf(experimentWith(), cells, NOW).results;
    expect(control).toStrictEqual({
      variant_id: 1,
      variant_name: "A",
      is_control: true,
      weight: 1,
      users: 200,
      expected_users: 200,
      metric_count: 2,
      average_value: 2,
      min_value: 1,
      max_value: 3,
      metrics: [
        {
          metric_name: "signup",
          kind: "conversion",
          direction: "increase",
          role: "primary",
          margin: null,
          cap: null,
          unit: null,
          users: 200,
          users_with_value: 20,
          converted_users: 20,
          count: 20,
          sum: 20,
          mean: 0.1,
          standard_deviation: 0.30000000000000004,
          dropped: { before_assignment: 1, after_stop: 2, after_window: 3, wrong_type: 4, out_of_range: 5 },
          comparison: null,
        },
      ],
    });
    expect(variant?.metrics[0]?.comparison).toMatchObject({
      control_level: 0.1,
      variant_level: 0.15,
      level: 0.05,
      judged: "open",
      approximate: false,
      effective_users: 400,
      users_left_out: 0,
      reasons: [],
    });
    expect([variant?.metric_count, variant?.average_value]).toEqual([0, null]);
  });

  test("put declared metrics first, in their order, and the others after them by name", () => {
    const cells = cellsOf({ users: 100, z: [1], b: [1], a: [1] }, { users: 100 });
    const { results } = resultsOf(
      experimentWith({ metrics: [signup, { ...total, metric_name: "b" }] }),
      cells,
      NOW,
    );
    const shown = results[0]?.metrics.map(({ metric_name, role, direction }) => [
      metric_name,
      role,
      direction,
    ]);
    expect(shown).toEqual([
      ["signup", "primary", "increase"],
      ["b", "primary", "increase"],
      ["a", "exploratory", null],
      ["z", "exploratory", null],
    ]);
  });

  test("share the level of guardrails among them, and that of the other metrics among the variants alone", () => {
    const metrics = [signup, crash, { ...crash, metric_name: "slow" }];
    const experiment = experimentWith({ metrics, variants: variantsNamed(["A", "B", "C"]) });
    const cells = cellsOf({ users: 100 }, { users: 100 }, { users: 100 });
    const levels = resultsOf(experiment, cells, NOW).results[1]?.metrics.map(
      ({ comparison }) => comparison?.level,
    );
    expect(levels?.map((level) => level?.toFixed(6))).toEqual(["0.025000", "0.012500", "0.012500"]);
  });

  test("of one metric alone are shown on request, the verdict being still about the primary one", () => {
    const cells = cellsOf({ users: 100, signup: 10, sales: [1] }, { users: 100, signup: 10 });
    const { results, verdict } = resultsOf(experimentWith(), cells, NOW, { metric: "sales" });
    expect(results.map(({ metrics }) => metrics.map(({ metric_name }) => metric_name))).toEqual([
      ["sales"],
      ["sales"],
    ]);
    expect(verdict.metric_name).toBe("signup");
  });

  test("at another confidence level change α and nothing else", () => {
    const cells = cellsOf({ users: 2_000, signup: 200 }, { users: 2_000, signup: 264 });
    const at = (confidence: number) => resultsOf(experimentWith(), cells, NOW, { confidence });
    const p = [0.8, 0.95, 0.999].map((level) => at(level).results[1]?.metrics[0]?.comparison?.p_value);
    expect(new Set(p).size).toBe(1);
    expect([at(0.95).verdict.kind, at(0.999).verdict.kind]).toEqual(["winner", "no_difference_yet"]);
  });

  test("of a planned experiment are completed when the last user's window is over, unless it was stopped before", () => {
    const cells = { ...cellsOf({ users: 50 }, { users: 50 }), planned_users_reached_at: NOW };
    const experiment = { ...experimentWith({ planned_users: 100 }), window_days: 7 };
    const completed = (after: number, stopped_at: number | null = null) =>
      resultsOf({ ...experiment, stopped_at }, cells, NOW + after).completed;
    expect([completed(6 * DAY), completed(7 * DAY), completed(8 * DAY, NOW + 6 * DAY)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  test("say how many stored rows are not counted yet, while an upgrade counts them", () => {
    const cells = {
      ...cellsOf({ users: 2_000, signup: 200 }, { users: 2_000, signup: 210 }),
      pending_rows: 12_000,
    };
    const { pending_rows, verdict } = resultsOf(experimentWith(), cells, NOW);
    expect(pending_rows).toBe(12_000);
    expect(verdict.summary).toMatch(
      / Up to 12,000 stored rows are not counted yet, so this may change: ask again later\.$/,
    );
    expect(resultsOf(experimentWith(), { ...cells, pending_rows: 0 }, NOW)).not.toHaveProperty(
      "pending_rows",
    );
  });

  test("are whole numbers where the values are: a sum gives a mean without rounding of its own", () => {
    const cells = cellsOf({ users: 7, total: [3, 4] }, { users: 3, total: [1] });
    const { results } = resultsOf(experimentWith({ metrics: [total] }), cells, NOW);
    expect(results.map(({ metrics }) => metrics[0]?.mean)).toEqual([1, 1 / 3]);
  });
});

describe("the split", () => {
  const weights = (...all: number[]) => all.map((weight, index) => ({ variant_id: index + 1, weight }));
  const withWeights = (cells: ExperimentCells, ...all: number[]): ExperimentCells => ({
    ...cells,
    periods: cells.periods.map((period) => ({ ...period, weights: weights(...all) })),
  });

  test("is sound while the users are divided about as the weights say", () => {
    const { sample_ratio } = resultsOf(
      experimentWith(),
      withWeights(cellsOf({ users: 5_000 }, { users: 5_100 }), 1, 1),
      NOW,
    );
    expect(sample_ratio).toStrictEqual({
      ok: true,
      p_value: 1,
      bayes_factor: expect.closeTo(Math.exp(-0.753202902479), 9),
      leaked_users: 0,
      reason: null,
    });
  });

  test("says nothing without users", () => {
    expect(resultsOf(experimentWith(), cellsOf({ users: 0 }, { users: 0 }), NOW).sample_ratio).toStrictEqual({
      ok: true,
      p_value: null,
      bayes_factor: null,
      leaked_users: 0,
      reason: "NO_DATA",
    });
  });

  test("reports users in a variant of weight 0, and leaves them out", () => {
    const cells = withWeights(cellsOf({ users: 100 }, { users: 7 }), 1, 0);
    const { sample_ratio, results } = resultsOf(experimentWith(), cells, NOW);
    expect(sample_ratio).toMatchObject({ ok: true, leaked_users: 7 });
    expect(results.map(({ expected_users }) => expected_users)).toEqual([100, 0]);
  });

  test("that is impossible has a Bayes factor beyond all numbers, and an alarm", () => {
    const cells = withWeights(cellsOf({ users: 10_000 }, { users: 0 }), 1, 1);
    expect(resultsOf(experimentWith(), cells, NOW).sample_ratio).toMatchObject({
      ok: false,
      bayes_factor: null,
      reason: "BROKEN_SPLIT",
    });
  });
});

test("twenty variants of which most get no users any more are judged all the same", () => {
  const names = Array.from({ length: 20 }, (_, index) => `v${index}`);
  const experiment = experimentWith({ variants: variantsNamed(names) });
  const all = names.map(() => ({ users: 500, signup: 50 }));
  const two = names.map((_, index): Stated => {
    if (index === 0) return { users: 5_000, signup: 500 };
    return index === 1 ? { users: 5_000, signup: 750 } : { users: 0 };
  });
  const { verdict, results } = resultsOf(experiment, cellsOver(all, two), NOW);
  expect(verdict).toMatchObject({ kind: "winner", variant_name: "v1" });
  expect(results[1]?.metrics[0]?.comparison?.level).toBeCloseTo(0.05 / 19, 12);
});

/** Every number in an answer, wherever it is. */
const numbersIn = (value: unknown): number[] => {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersIn) : [];
};

test("whatever the values, every figure is a finite number or null", () => {
  const Extreme = fc.oneof(
    fc.constantFrom(0, 5e-324, -5e-324, 1e-200, 1e13, -1e13, 1),
    fc.double({ min: -1e13, max: 1e13, noNaN: true }),
  );
  const Arm = fc.record({
    users: fc.integer({ min: 60, max: 1e9 }),
    total: fc.array(Extreme, { maxLength: 60 }),
  });
  const kinds = fc.constantFrom("mean", "count", "conversion", "ratio");
  fc.assert(
    fc.property(Arm, Arm, kinds, fc.boolean(), (a, b, kind, over) => {
      const cells = cellsOf(a, b);
      const d = { d: sumsOf("d", a.total).y, dd: sumsOf("d", a.total).yy, yd: sumsOf("d", b.total).yy };
      const shaped = cells.cells.map((cell) => ({
        ...cell,
        metrics: cell.metrics.map((sums) => ({
          ...sums,
          users_not_zero: 60,
          covariate: over ? { x: d.d, xx: d.dd, xy: d.yd } : null,
          denominator: kind === "ratio" ? d : null,
        })),
      }));
      const metrics = [{ ...total, kind }];
      const results = resultsOf(experimentWith({ metrics }), { ...cells, cells: shaped }, NOW);
      expect(numbersIn(results).filter((value) => !Number.isFinite(value))).toEqual([]);
    }),
    { numRuns: cases(500) },
  );
});
