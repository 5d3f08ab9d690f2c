import { z } from "zod";
import { DAY, isoTime } from "../../time.ts";
import type { DayCell, ExperimentCells } from "../cells.ts";
import type { Experiment } from "../experiment.ts";
import { type Arm, ArmTable, usersOf } from "./arms.ts";
import { compareAll } from "./comparisons.ts";
import { alphaOf, lookOf } from "./level.ts";
import { type MeasuredMetric, measuredMetrics } from "./measured-metric.ts";
import { figuresOf } from "./observations.ts";

const TimelineMetric = z.strictObject({
  metric_name: z.string(),
  mean: z.number().nullable(),
  difference: z.number().nullable(),
  interval: z.tuple([z.number(), z.number()]).readonly().nullable(),
  p_value: z.number().nullable(),
});

const TimelineVariant = z.strictObject({
  variant_id: z.int(),
  variant_name: z.string(),
  is_control: z.boolean(),
  users: z.int(),
  metrics: z.array(TimelineMetric),
});
type TimelineVariant = z.infer<typeof TimelineVariant>;

export const Timeline = z
  .strictObject({
    test_id: z.int(),
    confidence_level: z.number(),
    days: z.array(z.strictObject({ day: z.iso.date(), variants: z.array(TimelineVariant) })),
  })
  .meta({ id: "Timeline" });
export type Timeline = z.infer<typeof Timeline>;

/** Consecutive changes of the same day. */
function byDay(changes: readonly DayCell[]): readonly (readonly [day: number, ofDay: readonly DayCell[]])[] {
  const days = new Map<number, DayCell[]>();
  for (const change of changes) {
    const ofDay = days.get(change.day);
    if (ofDay === undefined) days.set(change.day, [change]);
    else ofDay.push(change);
  }
  return [...days].sort(([a], [b]) => a - b);
}

/**
 * The experiment at the end of each day on which anything changed: the same figures as the results, of the data up to
 * then. The last day is what the results say now; only there may the planned look be taken, where they are `completed`.
 */
export function timelineOf(
  experiment: Experiment,
  changes: readonly DayCell[],
  { raw }: Pick<ExperimentCells, "raw">,
  completed: boolean,
): Timeline {
  const all = new ArmTable(experiment.variants, changes);
  const metrics = measuredMetrics(experiment, all.arms, raw);
  const table = new ArmTable(experiment.variants);
  const days = byDay(changes).map(([day, ofDay], index, { length }) => {
    for (const change of ofDay) table.add(change);
    const isLast = index === length - 1;
    return {
      day: isoTime(day * DAY).slice(0, 10),
      variants: variantsOf(experiment, table.arms, metrics, isLast && completed),
    };
  });
  return { test_id: experiment.id, confidence_level: experiment.confidence_level, days };
}

function variantsOf(
  experiment: Experiment,
  arms: readonly Arm[],
  metrics: readonly MeasuredMetric[],
  completed: boolean,
): TimelineVariant[] {
  const control = arms.find(({ variant }) => variant.is_control);
  const design = { alpha: alphaOf(experiment.confidence_level), look: lookOf(experiment, completed) };
  const compared = control === undefined ? [] : compareAll(control, arms, metrics, design);
  return arms.map((arm) => {
    const { id: variant_id, variant_name, is_control } = arm.variant;
    const points = metrics.map((metric) => {
      const reply = compared.find((one) => one.metric === metric && one.variant === arm)?.reply;
      return {
        metric_name: metric.metric_name,
        mean: figuresOf(metric, arm).mean,
        difference: reply?.difference ?? null,
        interval: reply?.interval ?? null,
        p_value: reply?.p_value ?? null,
      };
    });
    return { variant_id, variant_name, is_control, users: usersOf(arm), metrics: points };
  });
}
