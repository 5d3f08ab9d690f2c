import type { Fault } from "../failure.ts";
import { Name, recordOf } from "../text.ts";
import type { Instant } from "../time.ts";

// Reports about the people of an experiment. They agree with its results: a person counts under their first assignment, from
// that assignment until the experiment ends, and not at all where their ids have different variants.

/** A report reads all assignments of each experiment that it names. */
const MAX_EXPERIMENTS = 5;

/** The fields of a query that restrict a report to people of experiments, or divide it by their variants. */
export const membersShape = {
  experiment: recordOf(Name, 'must name variants by experiments, as {"checkout":"red"}', MAX_EXPERIMENTS)
    .default({})
    .meta({
      description:
        "experiment[<test_name>]=<variant_name>: only what people of this variant did, from their assignment until the experiment ended.",
    }),
  breakdown_experiment: Name.optional().meta({
    description:
      "The test_name of an experiment: only what its people did, from their assignment until the experiment ended, by variant.",
  }),
};

export interface MembersQuery {
  readonly experiment: Readonly<Record<string, string>>;
  readonly breakdown_experiment?: string | undefined;
}

/** The people of some variants of an experiment. */
export interface VariantPeople {
  readonly test_id: number;
  readonly test_name: string;
  readonly variants: readonly { readonly id: number; readonly name: string }[];
  /** The last instant that counts; null while the experiment runs. */
  readonly until: Instant | null;
}

/** People who belong to each of these. */
export interface MembersQuestion {
  readonly among: readonly VariantPeople[];
  /** Also divides them by their variant in this experiment. */
  readonly breakdown?: VariantPeople | undefined;
}

/** The experiments that a query names. */
export const experimentsOf = ({ experiment, breakdown_experiment }: MembersQuery): string[] => [
  ...new Set([
    ...Object.keys(experiment),
    ...(breakdown_experiment === undefined ? [] : [breakdown_experiment]),
  ]),
];

/** The fault of a query that asks for two breakdowns. */
export const twoBreakdowns = (
  query: Pick<MembersQuery, "breakdown_experiment"> & { readonly breakdown?: string | undefined },
): Fault | undefined =>
  query.breakdown === undefined || query.breakdown_experiment === undefined
    ? undefined
    : { path: "breakdown_experiment", message: "must be left out where there is a breakdown by a property" };

interface Divided {
  readonly breakdown?: string | undefined;
  readonly members?: MembersQuestion | undefined;
}

/** Whether a question divides its answer into groups. */
export const hasGroups = ({ breakdown, members }: Divided): boolean =>
  breakdown !== undefined || members?.breakdown !== undefined;

/** Who a question is about. */
export interface Membership {
  /** Whether what a person did at this time counts. */
  has(person: string | null, at: Instant): boolean;
  /** The name of the person's variant in the breakdown; null without one. */
  variantOf(person: string | null): string | null;
}
