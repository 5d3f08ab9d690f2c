import { z } from "zod";
import { defaultTuningUsers } from "../statistics/sequential.ts";
import { isoTime } from "../time.ts";
import { compareMetric, isJudgeable, lookAt } from "./comparison.ts";
import { controlOf, type Experiment, type MetricDefinition, type Variant } from "./experiment.ts";
import { type Look, subjectOf } from "./looks.ts";
import { armOfMetric, measuredMetrics } from "./observations.ts";
import { type DayTally, emptyTally, type MetricTally, type VariantTally } from "./tally.ts";

const DAY_MS = 86_400_000;

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

export const Timeline = z
  .strictObject({
    test_id: z.int(),
    confidence_level: z.number(),
    days: z.array(z.strictObject({ day: z.iso.date(), variants: z.array(TimelineVariant) })),
  })
  .meta({ id: "Timeline" });
export type Timeline = z.infer<typeof Timeline>;

/** What the variants had come to by the end of a day, filled in day after day. */
class Progress {
  readonly #users = new Map<number, number>();
  readonly #metrics = new Map<string, MetricTally>();

  add(change: DayTally): void {
    const { variant_id } = change;
    if ("new_users" in change) {
      this.#users.set(variant_id, this.users(variant_id) + change.new_users);
    } else {
      this.#metrics.set(subjectOf(variant_id, change.metric.metric_name), change.metric);
    }
  }

  users = (variantId: number): number => this.#users.get(variantId) ?? 0;

  tally = (variantId: number, metric: string): MetricTally =>
    this.#metrics.get(subjectOf(variantId, metric)) ?? emptyTally(metric);
}

function byDay(changes: readonly DayTally[]): ReadonlyMap<number, readonly DayTally[]> {
  const days = new Map<number, DayTally[]>();
  for (const change of changes) days.set(change.day, [...(days.get(change.day) ?? []), change]);
  return days;
}

/**
 * The experiment as somebody saw it who looked at the end of each day: estimates so far, and the always-valid interval
 * of the difference from the control, which narrows from day to day and never takes back what it said.
 */
export function timelineOf(experiment: Experiment, changes: readonly DayTally[]): Timeline {
  const metrics = measuredMetrics(experiment, tracked(changes));
  const progress = new Progress();
  let looks: readonly Look[] = [];
  const days = [...byDay(changes)].map(([day, ofDay]) => {
    for (const change of ofDay) progress.add(change);
    const shown = experiment.variants.map((variant) =>
      variantOn(experiment, variant, metrics, progress, looks),
    );
    looks = shown.flatMap((one) => one.looks);
    return { day: isoTime(day * DAY_MS).slice(0, 10), variants: shown.map((one) => one.variant) };
  });
  return { test_id: experiment.id, confidence_level: experiment.confidence_level, days };
}

/** What measuredMetrics wants to know: which metrics have values at all. */
const tracked = (changes: readonly DayTally[]): readonly VariantTally[] =>
  changes.flatMap((change) =>
    "metric" in change ? [{ variant_id: change.variant_id, users: 0, metrics: [change.metric] }] : [],
  );

function variantOn(
  experiment: Experiment,
  variant: Variant,
  metrics: readonly MetricDefinition[],
  progress: Progress,
  looks: readonly Look[],
) {
  const { id: variant_id, variant_name, is_control } = variant;
  const points = metrics.map((metric) => pointOf(experiment, variant, metric, progress, looks));
  return {
    looks: points.flatMap(({ look }) => (look === undefined ? [] : [look])),
    variant: {
      variant_id,
      variant_name,
      is_control,
      users: progress.users(variant_id),
      metrics: points.map(({ point }) => point),
    },
  };
}

function pointOf(
  experiment: Experiment,
  variant: Variant,
  metric: MetricDefinition,
  progress: Progress,
  looks: readonly Look[],
) {
  const { metric_name } = metric;
  const sideOf = ({ id }: Variant) => ({ users: progress.users(id), tally: progress.tally(id, metric_name) });
  const own = sideOf(variant);
  const mean = own.users === 0 ? null : armOfMetric(metric, own.tally, own.users).mean;
  const control = controlOf(experiment);
  if (control === undefined || variant.is_control) {
    return { point: { metric_name, mean, difference: null, interval: null, p_value: null }, look: undefined };
  }
  const design = {
    alpha: 1 - experiment.confidence_level,
    tuningUsers: experiment.planned_users ?? defaultTuningUsers,
  };
  const comparison = compareMetric(metric, sideOf(control), own, design);
  const judgeable = isJudgeable(metric, [sideOf(control), own]);
  const look = judgeable ? lookAt(comparison, variant.id, metric_name, looks) : undefined;
  const { p_value, interval } = look ?? comparison.sequential;
  return { point: { metric_name, mean, difference: comparison.difference, interval, p_value }, look };
}
