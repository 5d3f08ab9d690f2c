import type { MetricDefinition } from "../experiments/experiment.ts";
import type { Properties } from "./properties.ts";

/** What an event counts for a metric made of events; undefined where it is none of the metric's. */
export function eventValue(metric: MetricDefinition, properties: Properties): number | undefined {
  for (const [name, wanted] of Object.entries(metric.where ?? {})) {
    if (properties[name] !== wanted) return undefined;
  }
  if (metric.property === undefined) return 1;
  const value = properties[metric.property];
  return typeof value === "number" ? value : undefined;
}
