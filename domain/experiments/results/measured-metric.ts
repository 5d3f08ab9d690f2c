import type { Direction } from "../../statistics/choice.ts";
import type { RawValues } from "../cells.ts";
import type { Experiment } from "../experiment.ts";
import type { MetricDefinition } from "../metric-declaration.ts";
import { type Arm, metricNamesOf, metricSumsOf } from "./arms.ts";

/** A metric as results show it. */
export interface MeasuredMetric {
  readonly metric_name: string;
  readonly kind: MetricDefinition["kind"];
  /** Null for an undeclared metric: whether more is better is unknown. */
  readonly direction: Direction | null;
  readonly role: MetricDefinition["role"];
  readonly margin: NonNullable<MetricDefinition["margin"]> | null;
  readonly cap: number | null;
  readonly unit: string | null;
  /** When it was added to the experiment, as ISO 8601; null where it was there from the start, or is not declared. */
  readonly declared_at: string | null;
}

/** An undeclared metric is the sum of its values per user; it is shown and never decides. */
const undeclared = (metric_name: string): MeasuredMetric => ({
  metric_name,
  kind: "mean",
  direction: null,
  role: "exploratory",
  margin: null,
  cap: null,
  unit: null,
  declared_at: null,
});

const declared = (metric: MetricDefinition): MeasuredMetric => ({
  metric_name: metric.metric_name,
  kind: metric.kind,
  direction: metric.direction,
  role: metric.role,
  margin: metric.margin ?? null,
  cap: metric.cap ?? null,
  unit: metric.unit ?? null,
  declared_at: metric.declared_at ?? null,
});

/**
 * The declared metrics in their order, then the others by name: those that have values, and those whose values all do
 * not count.
 */
export function measuredMetrics(
  { metrics }: Experiment,
  arms: readonly Arm[],
  raw: readonly RawValues[] = [],
): readonly MeasuredMetric[] {
  const known = new Set(metrics.map(({ metric_name }) => metric_name));
  const names = new Set([...metricNamesOf(arms), ...raw.map(({ metric_name }) => metric_name)]);
  const others = [...names].filter((name) => !known.has(name)).sort();
  return [...metrics.map(declared), ...others.map(undeclared)];
}

/** The metric that most users have a value of: the subject of the sentence where no primary metric is declared. */
export function mostUsed(
  metrics: readonly MeasuredMetric[],
  arms: readonly Arm[],
): MeasuredMetric | undefined {
  const users = ({ metric_name }: MeasuredMetric): number =>
    arms.reduce((sum, arm) => sum + (metricSumsOf(arm, metric_name)?.users_with_value ?? 0), 0);
  return [...metrics].sort((a, b) => users(b) - users(a))[0];
}
