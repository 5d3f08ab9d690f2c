import type { ExperimentReply } from "../../../domain/experiments/experiment.ts";
import { listExperiments } from "../access/api.ts";
import { useAnswer } from "../access/use-answer.ts";
import type { Names } from "../events/use-catalogue.ts";
import { type Option, optionsOf, SelectField } from "../parts/fields.tsx";
import { useKeptFocus } from "../parts/focus.ts";
import { setQuery } from "../use-address.ts";
import { ConditionTags } from "./condition-fields.tsx";
import { type Condition, variantName, variantsOf } from "./filters.ts";

type Experiments = readonly Pick<ExperimentReply, "test_name" | "variants">[];

const MOST = "50";
const NONE: Experiments = [];

/** The newest experiments, for the fields that choose among them. */
export const useExperiments = (): Experiments =>
  useAnswer("experiments to choose", (signal) => listExperiments({ limit: MOST, include: undefined }, signal))
    .value?.items ?? NONE;

interface ExperimentFieldProps {
  readonly query: URLSearchParams;
  readonly experiments: Experiments;
}

// Marks an experiment among the properties: no name of one begins with it.
const MARK = "\u0001";

/** Chooses the property or the experiment that divides a report. */
export function BreakdownFilter({
  query,
  properties,
  experiments,
}: ExperimentFieldProps & { readonly properties: Names }) {
  const chosen = query.get("breakdown_experiment");
  const names = new Set([...(chosen === null ? [] : [chosen]), ...experiments.map((one) => one.test_name)]);
  const variants: Option[] = [...names].map((name) => ({
    value: MARK + name,
    label: `variant of ${name}`,
  }));
  const options = properties && [{ value: "", label: "nothing" }, ...optionsOf(properties), ...variants];
  const choose = (value: string): void => {
    const isExperiment = value.startsWith(MARK);
    setQuery({
      breakdown: isExperiment ? undefined : value,
      breakdown_experiment: isExperiment ? value.slice(MARK.length) : undefined,
    });
  };
  return (
    <SelectField
      label="Break down by"
      path={chosen === null ? "breakdown" : "breakdown_experiment"}
      value={chosen === null ? (query.get("breakdown") ?? "") : MARK + chosen}
      options={options}
      onValue={choose}
    />
  );
}

const remove = ({ property }: Condition): void => setQuery({ [variantName(property)]: undefined });

/** Restricts a report to people of variants: those that are chosen, and a field for another one. */
export function VariantFilter({ query, experiments }: ExperimentFieldProps) {
  const group = useKeptFocus<HTMLDivElement>();
  const chosen = Object.entries(variantsOf(query));
  const pairs = experiments.flatMap(({ test_name, variants }) =>
    variants.map(({ variant_name }) => [test_name, variant_name] as const),
  );
  if (pairs.length === 0 && chosen.length === 0) return null;
  const options = pairs.map(([test, variant], index) => ({
    value: String(index),
    label: `${test}: ${variant}`,
  }));
  const choose = (value: string): void => {
    const [test, variant] = pairs[Number(value)] ?? [];
    if (value !== "" && test !== undefined) setQuery({ [variantName(test)]: variant });
  };
  return (
    <div class="grouped" ref={group}>
      <SelectField
        label="Only people in variant"
        value=""
        options={[{ value: "", label: "any" }, ...options]}
        onValue={choose}
      />
      <ConditionTags
        label="Variants"
        conditions={chosen.map(([property, value]): Condition => ({ property, operator: "", value }))}
        onRemove={remove}
      />
    </div>
  );
}
