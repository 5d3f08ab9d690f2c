import type { Experiment, NewExperiment, Variant } from "./experiment.ts";
import { readMetrics } from "./metric-declaration.ts";

/** The fields of an experiment that both engines keep as JSON, because no statement filters by them. */
export interface Details
  extends Pick<Experiment, "hypothesis" | "notes" | "decision" | "exclusion_group" | "holdout"> {
  /** The variants' values by name; a variant without one has its name as its value. */
  readonly values: Readonly<Record<string, unknown>>;
}

const NOTHING: Details = {
  hypothesis: null,
  notes: null,
  decision: null,
  exclusion_group: null,
  holdout: null,
  values: {},
};

export const writeDetails = (experiment: NewExperiment): string => {
  const { hypothesis, notes, decision, exclusion_group, holdout, variants } = experiment;
  const values = Object.fromEntries(variants.map(({ variant_name, value }) => [variant_name, value]));
  return JSON.stringify({ hypothesis, notes, decision, exclusion_group, holdout, values } satisfies Details);
};

/** Reads what writeDetails has written; null is of an earlier version. */
export const readDetails = (json: string | null): Details =>
  json === null ? NOTHING : { ...NOTHING, ...JSON.parse(json) };

/** An experiment as the engines keep it: its metrics and details are JSON. */
export interface StoredExperiment extends Omit<Experiment, "metrics" | "variants" | keyof Details> {
  readonly control_variant_id: number | null;
  readonly metrics: string;
  readonly details: string | null;
  readonly variants: readonly Omit<Variant, "is_control" | "value">[];
}

export function experimentOf(stored: StoredExperiment): Experiment {
  const { control_variant_id, details, metrics, variants, ...row } = stored;
  const control = control_variant_id ?? variants[0]?.id;
  const { values, ...story } = readDetails(details);
  return {
    ...row,
    ...story,
    metrics: readMetrics(metrics),
    variants: variants.map((variant) => ({
      ...variant,
      is_control: variant.id === control,
      value: Object.hasOwn(values, variant.variant_name)
        ? values[variant.variant_name]
        : variant.variant_name,
    })),
  };
}
