import { z } from "zod";
import { type SampleRatio, sampleRatio } from "../statistics/sample-ratio.ts";
import { type Instant, IsoTime, isoTime } from "../time.ts";
import { ComparisonReply } from "./comparison.ts";
import { adjust, type Compared, compareAll, comparisonReply, metricTallyOf, tallyOf } from "./comparisons.ts";
import {
  controlOf,
  type Experiment,
  ExperimentStatus,
  MetricDefinition,
  type Variant,
} from "./experiment.ts";
import { type Look, SPLIT } from "./looks.ts";
import { armOfMetric, measuredMetrics, primaryMetric } from "./observations.ts";
import { type ExperimentTally, mergeRaw, noRaw, type Period, type VariantTally } from "./tally.ts";
import { brokenSplit, judge, noData, Verdict } from "./verdict.ts";

const MetricResult = z.strictObject({
  metric_name: z.string(),
  kind: MetricDefinition.shape.kind.unwrap(),
  direction: MetricDefinition.shape.direction.unwrap(),
  users: z.int(),
  converted_users: z.int(),
  count: z.int(),
  sum: z.number(),
  mean: z.number().nullable(),
  standard_deviation: z.number().nullable(),
  comparison: ComparisonReply.nullable(),
});
type MetricResult = z.infer<typeof MetricResult>;

const VariantResult = z.strictObject({
  variant_id: z.int(),
  variant_name: z.string(),
  is_control: z.boolean(),
  weight: z.number(),
  users: z.int(),
  expected_users: z.number().nullable(),
  metric_count: z.int(),
  average_value: z.number().nullable(),
  min_value: z.number().nullable(),
  max_value: z.number().nullable(),
  metrics: z.array(MetricResult),
});
type VariantResult = z.infer<typeof VariantResult>;

const SampleRatioReply = z.strictObject({
  ok: z.boolean(),
  chi_square: z.number().nullable(),
  p_value: z.number().nullable(),
  sequential_p_value: z.number().nullable(),
  leaked_users: z.int(),
  reason: z.enum(["TOO_FEW_USERS", "NO_DATA", "BROKEN_SPLIT"]).nullable(),
});

export const Results = z
  .strictObject({
    test_id: z.int(),
    test_name: z.string(),
    description: z.string().nullable(),
    status: ExperimentStatus,
    control: z.string().nullable(),
    confidence_level: z.number(),
    computed_at: IsoTime,
    sample_ratio: SampleRatioReply,
    verdict: Verdict,
    results: z.array(VariantResult),
  })
  .meta({ id: "Results" });
export type Results = z.infer<typeof Results>;

/** What somebody asks of the results beyond what the experiment itself says. */
export interface Question {
  readonly confidence?: number | undefined;
  readonly metric?: string | undefined;
}

/** The results, and those always-valid figures in them that later looks must not take back. */
export interface Assessment {
  readonly results: Results;
  readonly looks: readonly Look[];
}

function metricResult(
  metric: MetricDefinition,
  tally: VariantTally,
  comparison: ComparisonReply | null,
): MetricResult {
  const { metric_name, kind, direction } = metric;
  const values = metricTallyOf(tally, metric_name);
  const arm = armOfMetric(metric, values, tally.users);
  const deviates = tally.users >= (kind === "conversion" ? 1 : 2);
  return {
    metric_name,
    kind,
    direction,
    users: tally.users,
    converted_users: values.sums.n,
    count: values.count,
    sum: values.sum,
    mean: tally.users === 0 ? null : arm.mean,
    standard_deviation: deviates ? Math.sqrt(arm.variance) : null,
    comparison,
  };
}

function rawFigures(tally: VariantTally, metrics: readonly MetricDefinition[]) {
  const raw = metrics.map(({ metric_name }) => metricTallyOf(tally, metric_name).raw).reduce(mergeRaw, noRaw);
  return {
    metric_count: raw.count,
    average_value: raw.count === 0 ? null : raw.sum / raw.count,
    min_value: raw.min,
    max_value: raw.max,
  };
}

/** The periods as lists in the order of the variants. */
const periodsOf = ({ variants }: Experiment, periods: readonly Period[]) =>
  periods.map((period) => {
    const arms = variants.map(({ id }) => period.find(({ variant_id }) => variant_id === id));
    return { weights: arms.map((arm) => arm?.weight ?? 0), users: arms.map((arm) => arm?.users ?? 0) };
  });

function splitReply(split: SampleRatio): Results["sample_ratio"] {
  const { ok, chi_square, p_value, sequential_p_value, leaked } = split;
  const reason = ok ? (split.reason as "TOO_FEW_USERS" | "NO_DATA" | null) : "BROKEN_SPLIT";
  return { ok, chi_square, p_value, sequential_p_value, leaked_users: leaked, reason };
}

function verdictOf(
  experiment: Experiment,
  tally: ExperimentTally,
  split: SampleRatio,
  primary: MetricDefinition | undefined,
  compared: readonly Compared[],
  alpha: number,
): Verdict {
  const control = controlOf(experiment);
  const tallies = experiment.variants.map((variant) => ({ variant, tally: tallyOf(tally, variant) }));
  const everyone = tallies.reduce((sum, one) => sum + one.tally.users, 0);
  if (everyone === 0) return noData("Nobody has been assigned yet: there is nothing to judge.");
  if (!split.ok) {
    const expected = (index: number): number => split.expected[index] ?? 0;
    return brokenSplit(
      tallies.map(({ variant, tally: { users } }, index) => ({
        ...variant,
        users,
        expected: expected(index),
      })),
    );
  }
  if (primary === undefined || control === undefined) {
    return noData("No metric has been declared or tracked yet: there is nothing to judge.");
  }
  const candidate = (variant: Variant) => {
    const own = tallyOf(tally, variant);
    const values = metricTallyOf(own, primary.metric_name);
    const { mean } = armOfMetric(primary, values, own.users);
    return { variant_name: variant.variant_name, users: own.users, converted: values.sums.n, mean };
  };
  const challengers = compared
    .filter(({ metric }) => metric === primary)
    .map(({ variant, comparison, look }) => ({
      ...candidate(variant),
      difference: comparison.difference,
      p_value: look?.p_value ?? null,
      interval: look?.interval ?? null,
    }));
  const { metric_name, kind, direction } = primary;
  const isOver = experiment.stopped_at !== null;
  return judge({ metric_name, kind, direction, alpha, isOver, control: candidate(control), challengers });
}

/**
 * Figures, sample ratio and verdict of an experiment, from what storage has tallied of it. A stopped experiment's are
 * those of the moment when it was stopped. At another confidence level than the experiment's own, nothing of how it
 * was shown before applies, and nothing is kept.
 */
export function assess(
  experiment: Experiment,
  tally: ExperimentTally,
  now: Instant,
  { confidence = experiment.confidence_level, metric: only }: Question = {},
): Assessment {
  const alpha = 1 - confidence;
  const ownLevel = confidence === experiment.confidence_level;
  const looks = ownLevel ? tally.looks : [];
  const metrics = measuredMetrics(experiment, tally.variants);
  const primary = primaryMetric(metrics, experiment, tally.variants);
  const shown = only === undefined ? metrics : metrics.filter(({ metric_name }) => metric_name === only);
  const compared = compareAll(experiment, tally, metrics, alpha, looks);
  const adjustedOf = adjust(compared, primary);
  const earlierSplit = tally.looks.find(({ subject }) => subject === SPLIT)?.p_value ?? null;
  const split = sampleRatio(periodsOf(experiment, tally.periods), earlierSplit);

  const variantResult = (variant: Variant, index: number): VariantResult => {
    const own = tallyOf(tally, variant);
    return {
      variant_id: variant.id,
      variant_name: variant.variant_name,
      is_control: variant.is_control,
      weight: variant.weight,
      users: own.users,
      expected_users: split.expected[index] ?? null,
      ...rawFigures(own, shown),
      metrics: shown.map((metric) => {
        const one = compared.find((found) => found.metric === metric && found.variant === variant);
        return metricResult(metric, own, one === undefined ? null : comparisonReply(one, adjustedOf(one)));
      }),
    };
  };

  const results: Results = {
    test_id: experiment.id,
    test_name: experiment.test_name,
    description: experiment.description,
    status: experiment.status,
    control: controlOf(experiment)?.variant_name ?? null,
    confidence_level: confidence,
    computed_at: isoTime(experiment.stopped_at ?? now),
    sample_ratio: splitReply(split),
    verdict: verdictOf(experiment, tally, split, primary, compared, alpha),
    results: experiment.variants.map(variantResult),
  };
  return { results, looks: ownLevel ? looksOf(compared, split) : [] };
}

function looksOf(compared: readonly Compared[], { sequential_p_value }: SampleRatio): readonly Look[] {
  const splitLook =
    sequential_p_value === null ? [] : [{ subject: SPLIT, p_value: sequential_p_value, interval: null }];
  return [...splitLook, ...compared.flatMap(({ look }) => (look === undefined ? [] : [look]))];
}
