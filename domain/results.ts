import { z } from "zod";
import {
  controlOf,
  type Experiment,
  ExperimentStatus,
  MetricDefinition,
  type Variant,
} from "./experiment.ts";
import { addZeros, type Moments, variance } from "./statistics/moments.ts";
import { emptyTally, type MetricTally, mergeRaw, noRaw, type VariantTally } from "./tally.ts";
import { type Instant, IsoTime, isoTime } from "./time.ts";

const MetricResult = z.strictObject({
  metric_name: z.string(),
  kind: MetricDefinition.shape.kind,
  direction: MetricDefinition.shape.direction,
  users: z.int(),
  converted_users: z.int(),
  count: z.int(),
  sum: z.number(),
  mean: z.number().nullable(),
  standard_deviation: z.number().nullable(),
  comparison: z.null(),
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

export const Results = z
  .strictObject({
    test_id: z.int(),
    test_name: z.string(),
    description: z.string().nullable(),
    status: ExperimentStatus,
    control: z.string().nullable(),
    confidence_level: z.number(),
    computed_at: IsoTime,
    sample_ratio: z.null(),
    verdict: z.null(),
    results: z.array(VariantResult),
  })
  .meta({ id: "Results" });
export type Results = z.infer<typeof Results>;

const undeclared = (metric_name: string): MetricDefinition => ({
  metric_name,
  kind: "mean",
  direction: "increase",
  primary: false,
});

/** The declared metrics in their order, then the others that have values, by name. */
function measured(experiment: Experiment, tallies: readonly VariantTally[]): readonly MetricDefinition[] {
  const declared = new Set(experiment.metrics.map((metric) => metric.metric_name));
  const tracked = new Set(tallies.flatMap((tally) => tally.metrics.map((metric) => metric.metric_name)));
  const others = [...tracked].filter((name) => !declared.has(name)).sort();
  return [...experiment.metrics, ...others.map(undeclared)];
}

/** One observation per assigned user, as the metric's kind defines it: a user without a value is a zero. */
function observations(kind: MetricDefinition["kind"], tally: MetricTally, users: number): Moments {
  const converted = tally.sums.n;
  if (kind === "mean") return addZeros(tally.sums, users - converted);
  if (kind === "count") return addZeros(tally.counts, users - converted);
  return addZeros({ n: converted, mean: 1, m2: 0 }, users - converted);
}

/** A conversion's variance is p(1 − p); any other's has n − 1 in its denominator. */
function standardDeviation(kind: MetricDefinition["kind"], moments: Moments): number | null {
  if (kind === "conversion" && moments.n > 0) return Math.sqrt(moments.mean * (1 - moments.mean));
  const squared = variance(moments);
  return squared === null ? null : Math.sqrt(squared);
}

function metricResult(definition: MetricDefinition, tally: MetricTally, users: number): MetricResult {
  const { metric_name, kind, direction } = definition;
  const moments = observations(kind, tally, users);
  return {
    metric_name,
    kind,
    direction,
    users,
    converted_users: tally.sums.n,
    count: tally.count,
    sum: tally.sum,
    mean: moments.n === 0 ? null : moments.mean,
    standard_deviation: standardDeviation(kind, moments),
    comparison: null,
  };
}

function expectedUsers(experiment: Experiment, variant: Variant, users: number): number | null {
  const sum = experiment.variants.reduce((total, { weight }) => total + Math.max(0, weight), 0);
  return sum > 0 ? (users * Math.max(0, variant.weight)) / sum : null;
}

/** Counts and figures of an experiment from what storage has tallied of it. */
export function computeResults(
  experiment: Experiment,
  tallies: readonly VariantTally[],
  now: Instant,
): Results {
  const definitions = measured(experiment, tallies);
  const everyone = tallies.reduce((total, tally) => total + tally.users, 0);
  const variantResult = (variant: Variant): VariantResult => {
    const tally = tallies.find(({ variant_id }) => variant_id === variant.id);
    const users = tally?.users ?? 0;
    const metrics = tally?.metrics ?? [];
    const raw = metrics.map((metric) => metric.raw).reduce(mergeRaw, noRaw);
    return {
      variant_id: variant.id,
      variant_name: variant.variant_name,
      is_control: variant.is_control,
      weight: variant.weight,
      users,
      expected_users: expectedUsers(experiment, variant, everyone),
      metric_count: raw.count,
      average_value: raw.count === 0 ? null : raw.sum / raw.count,
      min_value: raw.min,
      max_value: raw.max,
      metrics: definitions.map((definition) =>
        metricResult(
          definition,
          metrics.find((metric) => metric.metric_name === definition.metric_name) ??
            emptyTally(definition.metric_name),
          users,
        ),
      ),
    };
  };
  return {
    test_id: experiment.id,
    test_name: experiment.test_name,
    description: experiment.description,
    status: experiment.status,
    control: controlOf(experiment)?.variant_name ?? null,
    confidence_level: experiment.confidence_level,
    computed_at: isoTime(now),
    sample_ratio: null,
    verdict: null,
    results: experiment.variants.map(variantResult),
  };
}
