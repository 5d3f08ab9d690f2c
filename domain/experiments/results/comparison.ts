import { z } from "zod";
import { type Choice, choiceOf } from "../../statistics/choice.ts";
import {
  type Bounds,
  boundsOf,
  type Contrast,
  contrastOf,
  type Estimate,
  squaredStatistic,
  standardErrorOf,
} from "../../statistics/contrast.ts";
import { criticalValueOf, type Level, pValueOf, type Size } from "../../statistics/look.ts";
import type { Arm } from "./arms.ts";
import type { MeasuredMetric } from "./measured-metric.ts";
import { type Sample, type Side, sampleOf } from "./observations.ts";

const Interval = z.tuple([z.number(), z.number()]).readonly();

/** Why a figure is missing. */
export const Reason = z.enum([
  "TOO_FEW_USERS",
  "TOO_FEW_WITH_A_VALUE",
  "ZERO_VARIANCE",
  "ZERO_CONTROL_MEAN",
  "CONTROL_NEAR_ZERO",
  "NO_DATA",
  "BROKEN_SPLIT",
]);
export type Reason = z.infer<typeof Reason>;

export const Judged = z.enum(["better", "worse", "open", "within_margin"]);
export type Judged = z.infer<typeof Judged>;

/**
 * A variant against the control on one metric: three readings of one test. The interval leaves out 0 exactly when the
 * p-value, which is multiplied by the number of comparisons that share α, is at most α, and when the interval of the lift
 * leaves out 0. `level` is the part of α that this comparison has. Differences are in the metric's unit,
 * lifts are fractions of the control's level.
 */
export const ComparisonReply = z
  .strictObject({
    control_level: z.number().nullable(),
    variant_level: z.number().nullable(),
    difference: z.number().nullable(),
    standard_error: z.number().nullable(),
    p_value: z.number().nullable(),
    interval: Interval.nullable(),
    lift: z.number().nullable(),
    lift_interval: Interval.nullable(),
    reasons: z.array(Reason).readonly(),
    level: z.number(),
    judged: Judged.nullable(),
    approximate: z.boolean(),
    effective_users: z.number(),
    users_left_out: z.int(),
    if_you_must_choose: z.strictObject({
      chance_better: z.number().nullable(),
      chance_best: z.number().nullable(),
      expected_loss: z.number().nullable(),
      expected_loss_of_control: z.number().nullable(),
    }),
  })
  .meta({ id: "Comparison" });
export type ComparisonReply = z.infer<typeof ComparisonReply>;

/** A comparison with the contrast behind it, for the verdict and the chance to be best. */
export interface Comparison {
  readonly metric: MeasuredMetric;
  readonly variant: Arm;
  readonly sample: Sample;
  readonly contrast: Contrast | null;
  readonly reply: ComparisonReply;
}

// Below these floors figures are shown, but nothing is concluded from them.
export const FEWEST_USERS = 50;
export const FEWEST_WITH_A_VALUE = 50;
const FEWEST_FOR_EXACT_ENDS = 10;

/** Why nothing can be concluded yet: too few users in an arm, or too few with a value where its size matters. */
export function shortageOf({ kind }: MeasuredMetric, { control, variant }: Sample): Reason | null {
  if (control.allUsers === 0 && variant.allUsers === 0) return "NO_DATA";
  if (Math.min(control.users, variant.users) < FEWEST_USERS) return "TOO_FEW_USERS";
  const fewest = Math.min(control.notZero, variant.notZero);
  return kind !== "conversion" && fewest < FEWEST_WITH_A_VALUE ? "TOO_FEW_WITH_A_VALUE" : null;
}

/** Compares a variant with the control on one metric. `level` is α and with how many comparisons it is shared. */
export function compare(metric: MeasuredMetric, control: Arm, variant: Arm, level: Level): Comparison {
  const sample = sampleOf(metric, control, variant);
  const contrast = contrastOf(sample.pairs);
  const shortage = shortageOf(metric, sample);
  const test =
    contrast === null || shortage !== null
      ? { ...NO_CONCLUSION, reasons: [shortage ?? ("NO_DATA" as const)] }
      : conclusionOf(metric, contrast, level);
  return { metric, variant, sample, contrast, reply: replyOf(metric, sample, contrast, level, test) };
}

/** Figures of the test, all null where it cannot be made. */
interface Conclusion {
  readonly p_value: number | null;
  readonly interval: Bounds | null;
  readonly lift_interval: Bounds | null;
  readonly choice: Choice | null;
  readonly reasons: readonly Reason[];
}

const NO_CONCLUSION = { p_value: null, interval: null, lift_interval: null, choice: null };

function replyOf(
  metric: MeasuredMetric,
  sample: Sample,
  contrast: Contrast | null,
  level: Level,
  { p_value, interval, lift_interval, choice, reasons }: Conclusion,
): ComparisonReply {
  return {
    control_level: finite(contrast?.control_level),
    variant_level: finite(contrast?.variant_level),
    difference: finite(contrast?.difference.value),
    standard_error: contrast === null ? null : finite(standardErrorOf(contrast.difference)),
    p_value,
    interval,
    lift: contrast?.ratio == null ? null : finite(liftOf(contrast, contrast.ratio.value)),
    lift_interval,
    reasons,
    level: level.alpha / level.comparisons,
    judged: metric.direction === null ? null : judge(metric, interval, lift_interval),
    approximate: metric.kind === "conversion" && isApproximate(sample),
    effective_users: 4 * (contrast?.weight ?? 0),
    users_left_out: leftOut(sample.control) + leftOut(sample.variant),
    if_you_must_choose: {
      chance_better: finite(choice?.chance_better),
      chance_best: null,
      expected_loss: finite(choice?.expected_loss),
      expected_loss_of_control: finite(choice?.expected_loss_of_control),
    },
  };
}

const leftOut = ({ allUsers, users }: Side): number => allUsers - users;

const isRare = ({ users, converted }: Side): boolean =>
  Math.min(converted, users - converted) < FEWEST_FOR_EXACT_ENDS;

/** While one arm has few converters or few others, the end of the interval far from 0 may be a little short. */
const isApproximate = ({ control, variant }: Sample): boolean => isRare(control) || isRare(variant);

const finite = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;

/** A ratio of levels as a relative change, which has the sign of the difference also where the control is below 0. */
const liftOf = ({ control_level }: Contrast, ratio: number): number =>
  control_level < 0 ? 1 - ratio : ratio - 1;

function conclusionOf(metric: MeasuredMetric, contrast: Contrast, level: Level): Conclusion {
  const { control_users, variant_users, weight, ratio } = contrast;
  const size: Size = { weight, smallest: Math.min(control_users, variant_users) };
  const statistic = squaredStatistic(contrast);
  if (statistic === null) return { ...NO_CONCLUSION, reasons: ["ZERO_VARIANCE"] };
  const c = criticalValueOf(size, level);
  const interval = finiteBounds(boundsOf(contrast.difference, c));
  if (interval === null) return { ...NO_CONCLUSION, reasons: ["ZERO_VARIANCE"] };
  const lift = liftBounds(contrast, ratio, c);
  const isShare = metric.kind === "conversion";
  return {
    p_value: pValueOf(statistic, size, level),
    interval: isShare ? cut(interval, -1, 1) : interval,
    lift_interval: isShare && lift !== null ? cut(lift, -1, Number.POSITIVE_INFINITY) : lift,
    choice: choiceOf(contrast, metric.direction ?? "increase"),
    reasons: lift === null ? [ratio === null ? "ZERO_CONTROL_MEAN" : "CONTROL_NEAR_ZERO"] : [],
  };
}

const finiteBounds = (bounds: Bounds | null): Bounds | null =>
  bounds?.every(Number.isFinite) === true ? bounds : null;

function liftBounds(contrast: Contrast, ratio: Estimate | null, c: number): Bounds | null {
  const bounds = ratio === null ? null : finiteBounds(boundsOf(ratio, c));
  if (bounds === null) return null;
  const [first, second] = [liftOf(contrast, bounds[0]), liftOf(contrast, bounds[1])];
  return [Math.min(first, second), Math.max(first, second)];
}

/** For display only: a share cannot change by more than itself. */
const cut = ([low, high]: Bounds, lowest: number, highest: number): Bounds => [
  Math.max(lowest, low),
  Math.min(highest, high),
];

/** The interval's bad end, counted in the good direction: negative where the variant may be worse by that much. */
export const badEnd = ({ direction }: MeasuredMetric, [low, high]: Bounds): number =>
  direction === "decrease" ? -high : low;

const goodEnd = ({ direction }: MeasuredMetric, [low, high]: Bounds): number =>
  direction === "decrease" ? -low : high;

function judge(metric: MeasuredMetric, interval: Bounds | null, lift: Bounds | null): Judged {
  if (interval === null) return "open";
  if (badEnd(metric, interval) > 0) return "better";
  if (goodEnd(metric, interval) < 0) return "worse";
  return isWithinMargin(metric, interval, lift) ? "within_margin" : "open";
}

/** A relative margin is held by the interval of the lift, which allows for the uncertainty of the control's level. */
function isWithinMargin(metric: MeasuredMetric, interval: Bounds, lift: Bounds | null): boolean {
  const { margin } = metric;
  if (margin === null) return false;
  if (typeof margin === "number") return badEnd(metric, interval) > -margin;
  return lift !== null && badEnd(metric, lift) > -margin.relative;
}
