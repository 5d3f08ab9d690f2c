import { expect, test } from "vitest";
import type { ExperimentCells } from "../../../../domain/experiments/cells.ts";
import { resultsOf } from "../../../../domain/experiments/results/results.ts";
import { NOW } from "../../../world.ts";
import { experimentWith } from "./stated-cells.ts";

// A published A/B test of a mobile game, as counts: the first gate at level 30 or at level 40. The figures were computed
// by another program. `npm run bench -- players <file>` sends its 90,189 players through HTTP.

const PLAYERS = [
  { users: 44_700, day1: 20_034, day7: 8_502, rounds: 2_344_795, squares: 3_068_811_771, played: 42_763 },
  { users: 45_489, day1: 20_119, day7: 8_279, rounds: 2_333_530, squares: 605_052_202, played: 43_432 },
] as const;

const sums = (metric_name: string, users: number, y: number, yy: number) => ({
  metric_name,
  users_with_value: users,
  users_not_zero: users,
  count: users,
  y: { high: y, low: 0 },
  yy: { high: yy, low: 0 },
  covariate: null,
  denominator: null,
});

const cells: ExperimentCells = {
  periods: [{ started_at: NOW, weights: [1, 2].map((variant_id) => ({ variant_id, weight: 1 })) }],
  cells: PLAYERS.map(({ users, day1, day7, rounds, squares, played }, index) => ({
    variant_id: index + 1,
    period: 0,
    users,
    metrics: [
      sums("retention_1", day1, day1, day1),
      sums("retention_7", day7, day7, day7),
      sums("sum_gamerounds", played, rounds, squares),
    ],
  })),
  raw: [],
  planned_users_reached_at: NOW,
  pending_rows: 0,
};

const experiment = experimentWith({
  metrics: [
    { metric_name: "retention_7", kind: "conversion", direction: "increase", role: "primary" },
    { metric_name: "retention_1", kind: "conversion", direction: "increase", role: "exploratory" },
    { metric_name: "sum_gamerounds", kind: "mean", direction: "increase", role: "exploratory" },
  ],
});

/** Figures to nine digits, as they were published. */
const rounded = (values: readonly (number | null | undefined)[]) =>
  values.map((value) => (value == null ? value : Number(value.toPrecision(9))));

function figuresOf(metric_name: string, planned_users: number | null) {
  const { results } = resultsOf({ ...experiment, planned_users }, cells, NOW);
  const [control, variant] = results.map(({ metrics }) =>
    metrics.find((metric) => metric.metric_name === metric_name),
  );
  const { difference, standard_error, p_value, interval } = variant?.comparison ?? {};
  return rounded([control?.mean, variant?.mean, difference, standard_error, p_value, ...(interval ?? [])]);
}

test.each([
  [
    "retention_1",
    [
      0.448187919463, 0.442282749676, -0.00590516978734, 0.00330992987875, 1, -0.0176472627942,
      0.00583692321954,
    ],
  ],
  [
    "retention_7",
    [
      0.190201342282, 0.182000043967, -0.00820129831521, 0.0025920801415, 0.180669980189, -0.0173963088347,
      0.000993712204315,
    ],
  ],
  [
    "sum_gamerounds",
    [52.4562639821, 51.2987755281, -1.15748845395, 1.30725041731, 1, -5.79476071507, 3.47978380716],
  ],
])("decided at any time, %s has the published figures", (metric_name, figures) => {
  expect(figuresOf(metric_name, null)).toEqual(rounded(figures));
});

test("read once, with all planned players, the later gate loses", () => {
  const planned = { ...experiment, planned_users: 90_189 };
  const { verdict, results, completed, sample_ratio } = resultsOf(planned, cells, NOW);
  const comparison = results[1]?.metrics[0]?.comparison;
  expect([completed, verdict.kind, verdict.metric_name]).toEqual([true, "loser", "retention_7"]);
  expect(rounded([comparison?.p_value, ...(comparison?.interval ?? [])])).toEqual(
    rounded([0.00173033251202, -0.0133976691934, -0.00300492743701]),
  );
  expect(rounded([comparison?.lift, ...(comparison?.lift_interval ?? [])])).toEqual(
    rounded([-0.0431190348965, -0.0694958505076, -0.0160220275933]),
  );
  expect([sample_ratio.ok, ...rounded([sample_ratio.p_value])]).toEqual([true, 0.314515662]);
});
