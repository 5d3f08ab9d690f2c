import { useState } from "preact/hooks";
import type { Catalogue } from "../../../domain/reports/catalogue.ts";
import type { Answer } from "../access/use-answer.ts";
import { propertyNames, typeNames } from "../events/use-catalogue.ts";
import { FilterField, SelectField } from "../parts/fields.tsx";
import { useKeptFocus } from "../parts/focus.ts";
import { setQuery } from "../use-address.ts";
import { withNone } from "./filter-fields.tsx";
import { formatSteps, MAX_STEPS, type Step, scalarOf } from "./funnel-steps.ts";
import { useSuggestions } from "./use-suggestions.ts";

const setSteps = (steps: readonly Step[]): void => setQuery({ steps: formatSteps(steps) });

interface ConditionProps {
  readonly query: URLSearchParams;
  readonly step: Step;
  readonly catalogue: Answer<Catalogue>;
  readonly onChange: (step: Step) => void;
}

/** The condition on the events of a step. */
function StepCondition({ query, step: { event_type, where = {} }, catalogue, onChange }: ConditionProps) {
  const [property, setProperty] = useState(Object.keys(where)[0] ?? "");
  const suggestions = useSuggestions(query, [event_type], property);
  const choose = (name: string): void => {
    setProperty(name);
    if (name === "") onChange({ event_type });
  };
  return (
    <>
      <SelectField
        label="with"
        value={property}
        options={withNone("any", propertyNames(catalogue, [event_type]))}
        onValue={choose}
      />
      {property !== "" && (
        <FilterField
          label={`${property} is`}
          value={String(where[property] ?? "")}
          suggestions={suggestions}
          onValue={(text) =>
            onChange({
              event_type,
              where: { [property]: scalarOf(text, event_type, property, catalogue.value) },
            })
          }
        />
      )}
    </>
  );
}

interface StepFieldsProps {
  readonly query: URLSearchParams;
  readonly steps: readonly Step[];
  readonly catalogue: Answer<Catalogue>;
}

/** The fields of the steps, with an empty one at the end to add another step. */
export function StepFields({ query, steps, catalogue }: StepFieldsProps) {
  const names = typeNames(catalogue);
  const group = useKeptFocus<HTMLOListElement>();
  const shown: readonly Step[] = steps.length < MAX_STEPS ? [...steps, { event_type: "" }] : steps;
  const replace = (index: number, ...replacement: Step[]): void =>
    setSteps([...steps.slice(0, index), ...replacement, ...steps.slice(index + 1)]);
  return (
    <ol class="step-fields" ref={group}>
      {shown.map((step, index) => (
        <li key={index}>
          <SelectField
            label={index < steps.length ? `Step ${index + 1}` : "Next step"}
            path={`steps[${index}].event_type`}
            value={step.event_type}
            options={withNone(index < steps.length ? "remove this step" : "choose an event", names)}
            onValue={(event_type) => (event_type === "" ? replace(index) : replace(index, { event_type }))}
          />
          {step.event_type !== "" && (
            <StepCondition
              key={`${steps.length} ${step.event_type}`}
              query={query}
              step={step}
              catalogue={catalogue}
              onChange={(changed) => replace(index, changed)}
            />
          )}
        </li>
      ))}
    </ol>
  );
}
