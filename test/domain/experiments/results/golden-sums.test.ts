import { expect, test } from "vitest";
import type { Cell, MetricSums } from "../../../../domain/experiments/cells.ts";
import type { MetricDefinition } from "../../../../domain/experiments/metric-declaration.ts";
import { resultsOf } from "../../../../domain/experiments/results/results.ts";
import { addValue, noSum } from "../../../../domain/statistics/exact-sum.ts";
import { NOW } from "../../../world.ts";
import { goldenCase, wrongFigures } from "../../statistics/golden.ts";
import { experimentWith } from "./stated-cells.ts";

// The golden cases of a covariate and of a ratio, from the sums that storage keeps to the figures of an answer.

type Arm = { readonly users: number } & Readonly<Record<string, number | string>>;

interface Case {
  readonly id: string;
  readonly input: { readonly periods: readonly { readonly control: Arm; readonly variant: Arm }[] };
  readonly expected: Readonly<Record<string, unknown>>;
}

const exact = (value: number) => addValue(noSum, value);

/** Σx, Σy, Σx², Σxy and Σy² of users with these means and centred sums. */
function sumsOf(
  users: number,
  mean: { x: number; y: number },
  centred: { xx: number; xy: number; yy: number },
) {
  return {
    x: exact(users * mean.x),
    y: exact(users * mean.y),
    xx: exact(centred.xx + users * mean.x ** 2),
    xy: exact(centred.xy + users * mean.x * mean.y),
    yy: exact(centred.yy + users * mean.y ** 2),
  };
}

const counted = ({ users }: Arm) => ({
  metric_name: "total",
  users_with_value: users,
  users_not_zero: users,
  count: users,
});

function withCovariate(arm: Arm): MetricSums {
  const of = (name: string) => Number(arm[name]);
  const { y, yy, ...covariate } = sumsOf(
    arm.users,
    { x: of("mean_x"), y: of("mean_y") },
    { xx: of("sxx"), xy: of("sxy"), yy: of("syy") },
  );
  return { ...counted(arm), y, yy, covariate, denominator: null };
}

function withDenominator(arm: Arm): MetricSums {
  const of = (name: string) => Number(arm[name]);
  const { x, xx, xy, y, yy } = sumsOf(
    arm.users,
    { x: of("mean_den"), y: of("mean_num") },
    { xx: of("sdd"), xy: of("snd"), yy: of("snn") },
  );
  return { ...counted(arm), y, yy, covariate: null, denominator: { d: x, dd: xx, yd: xy } };
}

const total: MetricDefinition = {
  metric_name: "total",
  kind: "mean",
  direction: "increase",
  role: "primary",
};

test.each([
  ["cuped-1", withCovariate, { ...total, covariate: { attribute: "before" } }],
  ["ratio-1", withDenominator, { ...total, kind: "ratio", denominator: "orders" }],
] as const)("the answer has every figure of %s", (id, sumsOfArm, metric) => {
  const { input, expected } = goldenCase<Case>(id);
  const cells = input.periods.flatMap(({ control, variant }, period) =>
    [control, variant].map(
      (arm, index): Cell => ({ variant_id: index + 1, period, users: arm.users, metrics: [sumsOfArm(arm)] }),
    ),
  );
  const stored = { periods: [], cells, raw: [], planned_users_reached_at: null, pending_rows: 0, crossed: 0 };
  const { results } = resultsOf(experimentWith({ metrics: [metric] }), stored, NOW);
  expect(wrongFigures(expected, results[1]?.metrics[0]?.comparison)).toEqual([]);
});
