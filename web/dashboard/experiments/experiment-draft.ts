import type { input } from "zod";
import type { ExperimentInput } from "../../../domain/experiments/experiment.ts";
import { percent, shareOf } from "../parts/format.ts";

type Body = input<typeof ExperimentInput>;
type Metric = NonNullable<Body["metrics"]>[number];

export interface VariantDraft {
  readonly name: string;
  readonly weight: string;
}

export interface MetricDraft {
  readonly name: string;
  readonly kind: "conversion" | "mean" | "count";
  readonly direction: "increase" | "decrease";
  /** The event type that the metric is computed from; empty where values are tracked through the experiment. */
  readonly eventType: string;
  readonly property: string;
  /** Its role where it does not decide. */
  readonly role: "exploratory" | "guardrail";
  /** Of a guardrail: how much worse it may get, in percentage points or in its own unit; may be left open. */
  readonly margin: string;
}

/** Contents of the form, as typed. */
export interface ExperimentDraft {
  readonly name: string;
  readonly description: string;
  readonly variants: readonly VariantDraft[];
  readonly control: number;
  readonly metrics: readonly MetricDraft[];
  readonly primary: number;
  readonly traffic: string;
  readonly confidence: string;
  readonly plannedUsers: string;
  readonly start: boolean;
}

export const newVariant = (name = ""): VariantDraft => ({ name, weight: "50" });

export const newMetric = (): MetricDraft => ({
  name: "",
  kind: "conversion",
  direction: "increase",
  eventType: "",
  property: "",
  role: "exploratory",
  margin: "",
});

export const emptyDraft = (plannedUsers: string): ExperimentDraft => ({
  name: "",
  description: "",
  variants: [newVariant("control"), newVariant("treatment")],
  control: 0,
  metrics: [newMetric()],
  primary: 0,
  traffic: "100",
  confidence: "95",
  plannedUsers,
  start: true,
});

/** The number in a field. Text that is no number becomes NaN; the server then names the field that is wrong. */
export const numberOf = (text: string): number => (text.trim() === "" ? Number.NaN : Number(text));

/** A margin as it is stored: that of a conversion is typed in percentage points. */
function marginOf({ kind, margin }: MetricDraft): { margin?: number } {
  if (margin.trim() === "") return {};
  return { margin: kind === "conversion" ? shareOf(numberOf(margin)) : numberOf(margin) };
}

/** The declaration of a metric in a request. */
export function metricOf(metric: MetricDraft, primary: boolean): Metric {
  const { name, kind, direction, eventType, property } = metric;
  const role = primary ? "primary" : metric.role;
  return {
    metric_name: name,
    kind,
    direction,
    role,
    ...(role === "guardrail" ? marginOf(metric) : {}),
    ...(eventType === "" ? {} : { event_type: eventType }),
    // Only a sum has a field for it: an earlier choice there does not count unseen.
    ...(eventType === "" || property === "" || kind !== "mean" ? {} : { property }),
  };
}

/** The request body that creates the experiment. */
export function bodyOf(draft: ExperimentDraft): Body {
  const { name, description, variants, control, metrics, primary, traffic, confidence, plannedUsers, start } =
    draft;
  const controlName = variants[control]?.name ?? "";
  return {
    test_name: name,
    ...(description.trim() === "" ? {} : { description }),
    variants: variants.map((variant) => ({ variant_name: variant.name, weight: numberOf(variant.weight) })),
    ...(controlName === "" ? {} : { control: controlName }),
    metrics: metrics.map((metric, index) => metricOf(metric, index === primary)),
    traffic: shareOf(numberOf(traffic)),
    confidence_level: shareOf(numberOf(confidence)),
    ...(plannedUsers.trim() === "" ? {} : { planned_users: numberOf(plannedUsers) }),
    status: start ? "running" : "draft",
  };
}

/** The share of a variant by its weight, as "a share of 33.3 %"; nothing while the weights cannot be divided. */
export function shareInWords(variants: readonly VariantDraft[], index: number): string | undefined {
  const weights = variants.map(({ weight }) => numberOf(weight));
  const share = (weights[index] ?? 0) / weights.reduce((sum, weight) => sum + weight, 0);
  return weights.every((weight) => weight >= 0) && Number.isFinite(share)
    ? `a share of ${percent(share)}`
    : undefined;
}

/** A copy of the list with one entry changed. */
export const replaced = <T>(list: readonly T[], index: number, change: Partial<T>): readonly T[] =>
  list.map((one, place) => (place === index ? { ...one, ...change } : one));

/** The list without one entry, and the new index of the chosen one. */
export function without<T>(list: readonly T[], index: number, chosen: number) {
  const moved = chosen > index ? chosen - 1 : chosen === index ? 0 : chosen;
  return { list: list.filter((_, place) => place !== index), chosen: moved };
}
