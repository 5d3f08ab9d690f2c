import { type Arm, armOf, conversionArm } from "../statistics/arm.ts";
import { addZeros } from "../statistics/moments.ts";
import type { Experiment, MetricDefinition } from "./experiment.ts";
import type { MetricTally, VariantTally } from "./tally.ts";

const undeclared = (metric_name: string): MetricDefinition => ({
  metric_name,
  kind: "mean",
  direction: "increase",
  role: "exploratory",
});

/** The declared metrics in their order, then the others that have values, by name. */
export function measuredMetrics(
  experiment: Experiment,
  tallies: readonly VariantTally[],
): readonly MetricDefinition[] {
  const declared = new Set(experiment.metrics.map((metric) => metric.metric_name));
  const tracked = new Set(tallies.flatMap((tally) => tally.metrics.map((metric) => metric.metric_name)));
  const others = [...tracked].filter((name) => !declared.has(name)).sort();
  return [...experiment.metrics, ...others.map(undeclared)];
}

/** The metric that decides: the one declared primary, else the first declared, else the one that most users have. */
export function primaryMetric(
  metrics: readonly MetricDefinition[],
  experiment: Experiment,
  tallies: readonly VariantTally[],
): MetricDefinition | undefined {
  if (experiment.metrics.length > 0) return metrics.find(({ role }) => role === "primary") ?? metrics[0];
  const users = ({ metric_name }: MetricDefinition): number =>
    tallies
      .flatMap((tally) => tally.metrics)
      .reduce((sum, metric) => (metric.metric_name === metric_name ? sum + metric.sums.n : sum), 0);
  return [...metrics].sort((a, b) => users(b) - users(a))[0];
}

/** One observation per assigned user, as the metric's kind defines it; a user without a value is a zero. */
export function armOfMetric({ kind }: MetricDefinition, tally: MetricTally, users: number): Arm {
  const converted = tally.sums.n;
  if (kind === "conversion") return conversionArm({ users, converted });
  const arm = armOf(addZeros(kind === "mean" ? tally.sums : tally.counts, users - converted));
  // The sum is exact where the values are whole; the running mean has been rounded at every step.
  return { ...arm, mean: users === 0 ? 0 : (kind === "mean" ? tally.sum : tally.count) / users };
}
