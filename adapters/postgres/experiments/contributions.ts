import type { MetricDefinition } from "../../../domain/experiments/metric-declaration.ts";
import { type Contribution, contributionsOf } from "../../../domain/experiments/user-total.ts";
import type { Definitions } from "./definitions.ts";

interface NamedValue {
  /** The number of the value in the statement. */
  readonly value_id: number;
  readonly test_id: number;
  readonly metric_name: string;
}

const NONE: readonly MetricDefinition[] = [];

/** The parameters that say which metrics each value changes, in the order of `contributions` in value-statements.ts. */
export function contributionColumns(
  values: readonly NamedValue[],
  metrics: Definitions["metrics"],
  /** The one metric that is to change; all where it is null. */
  only: string | null = null,
): unknown[] {
  const known = new Map<string, readonly Contribution[]>();
  function contributionsTo({ test_id, metric_name }: NamedValue): readonly Contribution[] {
    const key = `${test_id} ${metric_name}`;
    const found = known.get(key) ?? contributionsOf(metrics.get(test_id) ?? NONE, metric_name);
    known.set(key, found);
    return found;
  }
  const rows = values.flatMap((value) =>
    contributionsTo(value)
      .filter(({ metric }) => only === null || metric.metric_name === only)
      .map((contribution) => ({ value_id: value.value_id, ...contribution })),
  );
  return [
    rows.map(({ value_id }) => value_id),
    rows.map(({ metric }) => metric.metric_name),
    rows.map(({ side }) => side),
    rows.map(({ metric }) => metric.declared),
    rows.map(({ metric }) => metric.kind),
    rows.map(({ metric }) => metric.cap),
    rows.map(({ metric }) => metric.denominator?.kind ?? null),
    rows.map(({ metric }) => metric.denominator?.cap ?? null),
    rows.map(({ metric }) => metric.window_ms),
  ];
}
