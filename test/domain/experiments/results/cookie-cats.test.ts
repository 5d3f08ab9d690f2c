import { expect, test } from "vitest";
import type { ExperimentCells } from "../../../../domain/experiments/cells.ts";
import { resultsOf } from "../../../../domain/experiments/results/results.ts";
import {
  AT_ANY_TIME,
  GATES,
  nineDigits,
  READ_ONCE,
  SPLIT_P_VALUE,
} from "../../../fixtures/published-test.ts";
import { NOW } from "../../../world.ts";
import { experimentWith } from "./stated-cells.ts";

// test/end-to-end/published-test.test.ts plays the same through a server, user by user.

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
  cells: GATES.map(({ users, day1, day7, rounds, squares, played }, index) => ({
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
  crossed: 0,
};

const experiment = experimentWith({
  metrics: [
    { metric_name: "retention_7", kind: "conversion", direction: "increase", role: "primary" },
    { metric_name: "retention_1", kind: "conversion", direction: "increase", role: "exploratory" },
    { metric_name: "sum_gamerounds", kind: "mean", direction: "increase", role: "exploratory" },
  ],
});

test.each(Object.entries(AT_ANY_TIME))(
  "decided at any time, %s has the published figures",
  (name, figures) => {
    const { results } = resultsOf(experiment, cells, NOW);
    const [control, variant] = results.map(({ metrics }) =>
      metrics.find(({ metric_name }) => metric_name === name),
    );
    const { difference, standard_error, p_value, interval } = variant?.comparison ?? {};
    const found = [control?.mean, variant?.mean, difference, standard_error, p_value, ...(interval ?? [])];
    expect(nineDigits(found)).toEqual(nineDigits(figures));
  },
);

test("read once, with all planned players, the later gate loses", () => {
  const planned = { ...experiment, planned_users: 90_189 };
  const { verdict, results, completed, sample_ratio } = resultsOf(planned, cells, NOW);
  const { p_value, interval, lift, lift_interval } = results[1]?.metrics[0]?.comparison ?? {};
  expect([completed, verdict.kind, verdict.metric_name]).toEqual([true, "loser", "retention_7"]);
  expect(nineDigits([p_value, ...(interval ?? []), lift, ...(lift_interval ?? [])])).toEqual(
    nineDigits(READ_ONCE),
  );
  expect([sample_ratio.ok, ...nineDigits([sample_ratio.p_value])]).toEqual([
    true,
    ...nineDigits([SPLIT_P_VALUE]),
  ]);
});
