import { z } from "zod";
import {
  type Comparison,
  type ComparisonDesign,
  compareArms,
  compareConversions,
} from "../statistics/comparison.ts";
import type { MetricDefinition } from "./experiment.ts";
import { type Look, sharpen, subjectOf } from "./looks.ts";
import { armOfMetric } from "./observations.ts";
import type { MetricTally } from "./tally.ts";

const Interval = z.tuple([z.number().nullable(), z.number().nullable()]).readonly();
const Reason = z
  .enum([
    "TOO_FEW_USERS",
    "ZERO_VARIANCE",
    "ZERO_CONTROL_MEAN",
    "CONTROL_NEAR_ZERO",
    "NO_DATA",
    "BROKEN_SPLIT",
  ])
  .nullable();
const Figures = z.strictObject({ p_value: z.number().nullable(), interval: Interval.nullable() });
const Lift = z.strictObject({ lift: z.number().nullable(), interval: Interval.nullable(), reason: Reason });

/** A variant against the control, on one metric. Differences are in the metric's unit, lifts are fractions. */
export const ComparisonReply = z
  .strictObject({
    difference: z.number().nullable(),
    standard_error: z.number().nullable(),
    reason: Reason,
    fixed: Figures,
    sequential: Figures,
    adjusted: z.strictObject({
      p_value: z.number().nullable(),
      method: z.enum(["holm", "benjamini_hochberg"]),
    }),
    relative: Lift,
    sequential_relative: Lift,
    bayesian: z.strictObject({
      chance_to_win: z.number().nullable(),
      expected_loss: z.number().nullable(),
      interval: Interval.nullable(),
    }),
    exact: z.strictObject({ p_value: z.number(), interval: Interval, chance_to_win: z.number() }).nullable(),
  })
  .meta({ id: "Comparison" });
export type ComparisonReply = z.infer<typeof ComparisonReply>;

/** One arm's part in a comparison. */
export interface Side {
  readonly users: number;
  readonly tally: MetricTally;
}

/** Compares two sides as the metric's kind asks. */
export function compareMetric(
  metric: MetricDefinition,
  control: Side,
  treatment: Side,
  design: Omit<ComparisonDesign, "direction">,
): Comparison {
  const full = { ...design, direction: metric.direction };
  if (metric.kind === "conversion") {
    const conversions = ({ users, tally }: Side) => ({ users, converted: tally.sums.n });
    return compareConversions(conversions(control), conversions(treatment), full);
  }
  const arm = ({ users, tally }: Side) => armOfMetric(metric, tally, users);
  return compareArms(arm(control), arm(treatment), full);
}

// Below these the normal approximation behind the intervals does not hold: figures are shown, but decide nothing.
export const FEWEST_USERS = 50;
export const FEWEST_CONVERSIONS = 5;

/** Whether two sides have enough users, and conversions where those are counted, to be judged. */
export function isJudgeable({ kind }: MetricDefinition, sides: readonly Side[]): boolean {
  return sides.every(
    ({ users, tally }) =>
      users >= FEWEST_USERS && (kind !== "conversion" || tally.sums.n >= FEWEST_CONVERSIONS),
  );
}

/**
 * The comparison's always-valid figures as they may be shown now, given how they were shown before; undefined where
 * there are none.
 */
export function lookAt(
  comparison: Comparison,
  variantId: number,
  metricName: string,
  looks: readonly Look[],
): Look | undefined {
  const subject = subjectOf(variantId, metricName);
  const { p_value, interval } = comparison.sequential;
  const earlier = looks.find((look) => look.subject === subject);
  if (p_value === null || interval === null) return earlier;
  return sharpen(earlier, { subject, p_value, interval });
}
