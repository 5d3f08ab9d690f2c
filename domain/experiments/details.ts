import type { Experiment, NewExperiment } from "./experiment.ts";

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

/** The value of a variant. */
export const valueOfVariant = ({ values }: Details, variant_name: string): unknown =>
  Object.hasOwn(values, variant_name) ? values[variant_name] : variant_name;
