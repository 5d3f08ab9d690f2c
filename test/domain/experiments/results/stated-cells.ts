import type { Cell, ExperimentCells, MetricSums } from "../../../../domain/experiments/cells.ts";
import type { Experiment } from "../../../../domain/experiments/experiment.ts";
import type { MetricDefinition } from "../../../../domain/experiments/metric-declaration.ts";
import { addProduct, addValue, noSum } from "../../../../domain/statistics/exact-sum.ts";
import { NOW } from "../../../world.ts";

// Experiments and their cells as a test states them: a line for each variant, in each weight period.

export const signup: MetricDefinition = {
  metric_name: "signup",
  kind: "conversion",
  direction: "increase",
  role: "primary",
};

export const crash: MetricDefinition = {
  metric_name: "crash",
  kind: "conversion",
  direction: "decrease",
  role: "guardrail",
};

const NAMES = ["A", "B", "C", "D"];

export const variantsNamed = (names: readonly string[]): Experiment["variants"] =>
  names.map((variant_name, index) => ({
    id: index + 1,
    variant_name,
    description: null,
    weight: 1,
    is_control: index === 0,
    value: variant_name,
  }));

/** An experiment of “A” against “B” with one metric, or with what differs from that. */
export const experimentWith = (changes: Partial<Experiment> = {}): Experiment => ({
  id: 1,
  test_name: "button",
  description: null,
  status: "running",
  created_at: NOW,
  traffic: 1,
  confidence_level: 0.95,
  planned_users: null,
  window_days: 0,
  planned_users_reached_at: null,
  stop_at: null,
  hypothesis: null,
  notes: null,
  decision: null,
  exclusion_group: null,
  holdout: null,
  stopped_at: null,
  winner_variant_id: null,
  metrics: [signup],
  salt: "salt",
  variants: variantsNamed(["A", "B"]),
  ...changes,
});

/** Users of one variant: all of them, and how many converted on each metric or which totals they have. */
export interface Stated {
  readonly users: number;
  readonly [metric: string]: number | readonly number[];
}

export function sumsOf(metric_name: string, values: number | readonly number[]): MetricSums {
  const totals = typeof values === "number" ? [] : values;
  const ones = typeof values === "number" ? values : 0;
  const exact = { high: ones, low: 0 };
  return {
    metric_name,
    users_with_value: ones + totals.length,
    users_not_zero: ones + totals.filter((total) => total !== 0).length,
    count: ones + totals.length,
    y: totals.reduce(addValue, ones === 0 ? noSum : exact),
    yy: totals.reduce((sum, total) => addProduct(sum, total, total), ones === 0 ? noSum : exact),
    covariate: null,
    denominator: null,
  };
}

function cellOf({ users, ...metrics }: Stated, variant_id: number, period: number): Cell {
  const sums = Object.entries(metrics).map(([name, values]) => sumsOf(name, values));
  return { variant_id, period, users, metrics: sums };
}

/** Cells of weight periods in the order of time, each a list of variants; the weights are those that fit the users. */
export function cellsOver(...periods: readonly (readonly Stated[])[]): ExperimentCells {
  return {
    periods: periods.map((stated) => ({
      started_at: NOW,
      weights: stated.map(({ users }, index) => ({ variant_id: index + 1, weight: users })),
    })),
    cells: periods.flatMap((stated, period) => stated.map((one, index) => cellOf(one, index + 1, period))),
    raw: [],
    planned_users_reached_at: null,
    pending_rows: 0,
    crossed: 0,
  };
}

/** Cells of a single period. */
export const cellsOf = (...stated: readonly Stated[]): ExperimentCells => cellsOver(stated);

export const experimentOf = (names: number, changes: Partial<Experiment> = {}): Experiment =>
  experimentWith({ variants: variantsNamed(NAMES.slice(0, names)), ...changes });
