import type { Comparison } from "../statistics/comparison.ts";
import { benjaminiHochberg, holm } from "../statistics/multiple-testing.ts";
import { defaultTuningUsers } from "../statistics/sequential.ts";
import { type ComparisonReply, compareMetric, isJudgeable, lookAt } from "./comparison.ts";
import { controlOf, type Experiment, type MetricDefinition, type Variant } from "./experiment.ts";
import type { Look } from "./looks.ts";
import { type ExperimentTally, emptyTally, type MetricTally, type VariantTally } from "./tally.ts";

/** A variant, compared with the control on one metric. */
export interface Compared {
  readonly variant: Variant;
  readonly metric: MetricDefinition;
  readonly comparison: Comparison;
  /** Its always-valid figures as they are shown; undefined where there are none, or too few users to keep them. */
  readonly look: Look | undefined;
}

const noUsers = (variant_id: number): VariantTally => ({ variant_id, users: 0, metrics: [] });

/** What a variant has come to; nothing, where storage knows nothing of it. */
export const tallyOf = ({ variants }: ExperimentTally, { id }: Variant): VariantTally =>
  variants.find(({ variant_id }) => variant_id === id) ?? noUsers(id);

export const metricTallyOf = ({ metrics }: VariantTally, metric_name: string): MetricTally =>
  metrics.find((metric) => metric.metric_name === metric_name) ?? emptyTally(metric_name);

/** Every variant but the control, compared with it on every metric. */
export function compareAll(
  experiment: Experiment,
  tally: ExperimentTally,
  metrics: readonly MetricDefinition[],
  alpha: number,
  looks: readonly Look[],
): readonly Compared[] {
  const control = controlOf(experiment);
  if (control === undefined) return [];
  const design = { alpha, tuningUsers: experiment.planned_users ?? defaultTuningUsers };
  const side = (variant: Variant, { metric_name }: MetricDefinition) => {
    const variantTally = tallyOf(tally, variant);
    return { users: variantTally.users, tally: metricTallyOf(variantTally, metric_name) };
  };
  return metrics.flatMap((metric) =>
    experiment.variants
      .filter((variant) => variant !== control)
      .map((variant) => {
        const sides = [side(control, metric), side(variant, metric)] as const;
        const comparison = compareMetric(metric, ...sides, design);
        const judgeable = isJudgeable(metric, sides);
        const look = judgeable ? lookAt(comparison, variant.id, metric.metric_name, looks) : undefined;
        return { variant, metric, comparison, look };
      }),
  );
}

type Adjust = (pValues: readonly number[]) => number[];

/** Adjusted p-values of one family, by comparison; one that has no p-value takes no part in it. */
function adjustedPValues(family: readonly Compared[], adjust: Adjust): Map<Compared, number> {
  const tested = family.filter(({ comparison }) => comparison.fixed.p_value !== null);
  const adjusted = adjust(tested.map(({ comparison }) => comparison.fixed.p_value ?? 1));
  return new Map(tested.map((compared, index) => [compared, adjusted[index] ?? 1]));
}

/** The variants on the primary metric are one family; all that is only looked at beside it, another. */
export function adjust(compared: readonly Compared[], primary: MetricDefinition | undefined) {
  const isPrimary = ({ metric }: Compared): boolean => metric === primary;
  const main = adjustedPValues(compared.filter(isPrimary), holm);
  const rest = adjustedPValues(
    compared.filter((one) => !isPrimary(one)),
    benjaminiHochberg,
  );
  return (one: Compared): ComparisonReply["adjusted"] =>
    isPrimary(one)
      ? { p_value: main.get(one) ?? null, method: "holm" }
      : { p_value: rest.get(one) ?? null, method: "benjamini_hochberg" };
}

/** What the wire shows of a comparison: the always-valid figures as they are shown, not as this look alone has them. */
export function comparisonReply(
  { comparison, look }: Compared,
  adjusted: ComparisonReply["adjusted"],
): ComparisonReply {
  const { difference, standard_error, reason, fixed, relative, sequential_relative, bayesian, exact } =
    comparison;
  const { p_value, interval } = look ?? comparison.sequential;
  const sequential = { p_value, interval };
  return {
    difference,
    standard_error,
    reason,
    fixed,
    sequential,
    adjusted,
    relative,
    sequential_relative,
    bayesian,
    exact,
  };
}
