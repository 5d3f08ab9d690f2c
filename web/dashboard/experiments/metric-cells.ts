import type { Results } from "../../../domain/experiments/results/results.ts";
import {
  counted,
  difference,
  differenceRange,
  level,
  lift,
  liftRange,
  number,
  pValue,
  unsignedDifference,
  wholePercent,
} from "../parts/format.ts";
import type { IntervalRow } from "../plots/interval-plot.tsx";

type Variant = Results["results"][number];
export type Metric = Variant["metrics"][number];
export type Comparison = NonNullable<Metric["comparison"]>;

/** One variant's figures for one metric. */
export interface Arm {
  readonly variant: Variant;
  readonly metric: Metric;
}

export const REASONS: Record<Comparison["reasons"][number], string> = {
  TOO_FEW_USERS: "too few users",
  TOO_FEW_WITH_A_VALUE: "too few users with a value",
  ZERO_VARIANCE: "the values do not differ",
  ZERO_CONTROL_MEAN: "the control is at 0",
  CONTROL_NEAR_ZERO: "the control is too close to 0",
  NO_DATA: "no values yet",
  BROKEN_SPLIT: "the split is broken",
};

/** Why a figure of a comparison is missing. */
export const because = ({ reasons }: Comparison): string => {
  const [reason] = reasons;
  return reason === undefined ? "–" : REASONS[reason];
};

export const JUDGED: Record<NonNullable<Comparison["judged"]>, string> = {
  better: "better",
  worse: "worse",
  open: "open",
  within_margin: "within its margin",
};

export const ROLES: Record<Metric["role"], string> = {
  primary: "primary metric",
  guardrail: "guardrail",
  exploratory: "exploratory",
};

export const armsOf = (results: Pick<Results, "results">, metricName: string): Arm[] =>
  results.results.flatMap((variant) =>
    variant.metrics
      .filter(({ metric_name }) => metric_name === metricName)
      .map((metric) => ({ variant, metric })),
  );

const MARKS: Record<NonNullable<Comparison["judged"]>, IntervalRow["mark"]> = {
  better: "good",
  worse: "bad",
  open: undefined,
  within_margin: undefined,
};

/** The colour of a comparison. An exploratory metric gets none: among many of them one looks good by chance. */
export function markOf({ role, comparison }: Metric): IntervalRow["mark"] {
  const judged = comparison?.judged ?? null;
  return role === "exploratory" || judged === null ? undefined : MARKS[judged];
}

function liftCell(comparison: Comparison): string {
  const { lift: estimate, lift_interval } = comparison;
  if (estimate === null) return because(comparison);
  return lift_interval === null
    ? `${lift(estimate)} (${because(comparison)})`
    : `${lift(estimate)} (${liftRange(lift_interval)})`;
}

/** Difference, interval, relative change, and what that says; for the control its name alone. */
export function differenceCells({
  metric: { kind, comparison },
}: {
  metric: Pick<Metric, "kind" | "comparison">;
}): string[] {
  if (comparison === null) return ["control", "", "", ""];
  const { difference: estimate, interval, approximate, p_value, judged } = comparison;
  const range = interval === null ? because(comparison) : differenceRange(kind, interval);
  return [
    estimate === null ? because(comparison) : difference(kind, estimate),
    approximate && interval !== null ? `${range} (approximate)` : range,
    liftCell(comparison),
    judged === null ? `p-value ${pValue(p_value)}` : `${JUDGED[judged]} (p-value ${pValue(p_value)})`,
  ];
}

export function armCells(arm: Arm): string[] {
  const { variant, metric } = arm;
  const users =
    metric.kind === "conversion"
      ? `${number(metric.converted_users)} of ${counted(metric.users, "user")}`
      : counted(metric.users, "user");
  return [variant.variant_name, users, level(metric.kind, metric.mean), ...differenceCells(arm)];
}

/** How much worse a guardrail may get, as the end of a sentence. */
export function marginOf({ kind, margin }: Metric): string {
  if (margin === null) return "";
  const allowed =
    typeof margin === "number" ? unsignedDifference(kind, margin) : wholePercent(margin.relative);
  return `; may get worse by at most ${allowed}`;
}

/** The comparisons that have figures, for a plot. */
export const rowsOf = (arms: readonly Arm[]): IntervalRow[] =>
  arms.flatMap(({ variant, metric }) => {
    const { comparison } = metric;
    if (comparison === null || comparison.difference === null) return [];
    const { difference: estimate, interval } = comparison;
    return [{ name: variant.variant_name, estimate, interval, mark: markOf(metric) }];
  });
