import { MAX_VALUE } from "../experiments/metric.ts";
import type { MetricDefinition } from "../experiments/metric-declaration.ts";
import type { Properties } from "./properties.ts";

/** An event as a value of a metric made of events, or why it is none although it should be. */
export type EventValue =
  | { readonly kind: "value"; readonly value: number }
  | { readonly kind: "dropped"; readonly reason: "wrong_type" | "out_of_range" };

/**
 * The value that an event is for a metric made of events, for example 1 where the metric names no property. Undefined
 * where the event is none of the metric's, or lacks the property.
 */
export function eventValue(metric: MetricDefinition, properties: Properties): EventValue | undefined {
  for (const [name, wanted] of Object.entries(metric.where ?? {})) {
    if (properties[name] !== wanted) return undefined;
  }
  if (metric.property === undefined) return { kind: "value", value: 1 };
  const value = properties[metric.property];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number") return { kind: "dropped", reason: "wrong_type" };
  if (Math.abs(value) > MAX_VALUE) return { kind: "dropped", reason: "out_of_range" };
  return { kind: "value", value };
}
