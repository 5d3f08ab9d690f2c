import type { Experiment } from "../experiments/experiment.ts";
import { endOf } from "../experiments/lifecycle.ts";
import type { Checked, Fault } from "../failure.ts";
import type { MembersQuery, MembersQuestion, VariantPeople } from "./members.ts";

const peopleOf = (
  experiment: Experiment,
  isMeant: (variantName: string) => boolean = () => true,
): VariantPeople => ({
  test_id: experiment.id,
  test_name: experiment.test_name,
  variants: experiment.variants
    .filter(({ variant_name }) => isMeant(variant_name))
    .map(({ id, variant_name }) => ({ id, name: variant_name })),
  until: endOf(experiment),
});

const UNKNOWN = "is the name of no A/B test: GET /apiv1/ab-tests lists them";

const unknownVariant = ({ variants }: Experiment): string =>
  `must be the name of a variant of this A/B test: ${variants.map(({ variant_name }) => variant_name).join(", ")}`;

/**
 * Turns the experiments of a query into a question for storage, or says which of them are unknown. `known` has the experiments
 * by name. Undefined where the query names none.
 */
export function planMembers(
  query: MembersQuery,
  known: ReadonlyMap<string, Experiment>,
): Checked<MembersQuestion | undefined> {
  const { experiment: wanted, breakdown_experiment } = query;
  const faults: Fault[] = [];
  const among = Object.entries(wanted).flatMap(([name, variant]) => {
    const experiment = known.get(name);
    const people = experiment && peopleOf(experiment, (one) => one === variant);
    if (experiment !== undefined && people?.variants.length === 1) return [people];
    const message = experiment === undefined ? UNKNOWN : unknownVariant(experiment);
    faults.push({ path: `experiment.${name}`, message });
    return [];
  });
  const divided = breakdown_experiment === undefined ? undefined : known.get(breakdown_experiment);
  if (breakdown_experiment !== undefined && divided === undefined) {
    faults.push({ path: "breakdown_experiment", message: UNKNOWN });
  }
  if (faults.length > 0) return { faults };
  if (among.length === 0 && divided === undefined) return { value: undefined };
  return { value: { among, ...(divided && { breakdown: peopleOf(divided) }) } };
}
