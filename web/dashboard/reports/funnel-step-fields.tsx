import { useState } from "preact/hooks";
import type { Catalogue } from "../../../domain/reports/catalogue.ts";
import type { Answer } from "../access/use-answer.ts";
import { propertyNames, typeNames } from "../events/use-catalogue.ts";
import { SelectField } from "../parts/fields.tsx";
import { useKeptFocus } from "../parts/focus.ts";
import { setQuery } from "../use-address.ts";
import { ConditionTags, NewCondition } from "./condition-fields.tsx";
import { withNone } from "./filter-fields.tsx";
import type { Condition, Operator } from "./filters.ts";
import {
  conditionsOfStep,
  formatSteps,
  MAX_STEPS,
  type Step,
  withCondition,
  withoutCondition,
} from "./funnel-steps.ts";

const setSteps = (steps: readonly Step[]): void => setQuery({ steps: formatSteps(steps) });

interface StepConditionsProps {
  readonly query: URLSearchParams;
  readonly step: Step;
  readonly catalogue: Answer<Catalogue>;
  readonly onChange: (step: Step) => void;
}

const NOTHING_CHOSEN: { property: string; operator: Operator } = { property: "", operator: "" };

/** The conditions on the events of a step: those that apply, and fields for another one. */
function StepConditions({ query, step, catalogue, onChange }: StepConditionsProps) {
  const [{ property, operator }, choose] = useState(NOTHING_CHOSEN);
  const group = useKeptFocus<HTMLDivElement>();
  const types = [step.event_type];
  const add = (condition: Condition): void => {
    choose(NOTHING_CHOSEN);
    onChange(withCondition(step, condition, catalogue.value));
  };
  return (
    <div class="step-conditions" ref={group}>
      <SelectField
        label="with"
        value={property}
        options={withNone("any", propertyNames(catalogue, types))}
        onValue={(chosen) => choose({ property: chosen, operator: "" })}
      />
      {property !== "" && (
        <NewCondition
          query={query}
          types={types}
          property={property}
          operator={operator}
          onOperator={(chosen) => choose({ property, operator: chosen })}
          onCondition={add}
        />
      )}
      <ConditionTags
        conditions={conditionsOfStep(step)}
        onRemove={(condition) => onChange(withoutCondition(step, condition))}
      />
    </div>
  );
}

interface StepFieldsProps {
  readonly query: URLSearchParams;
  readonly steps: readonly Step[];
  readonly catalogue: Answer<Catalogue>;
}

/** The fields of one step; those of the step after the last one add another. */
function StepItem({ query, steps, catalogue, index }: StepFieldsProps & { readonly index: number }) {
  const step = steps[index] ?? { event_type: "" };
  const isNext = index === steps.length;
  const replace = (...replacement: Step[]): void =>
    setSteps([...steps.slice(0, index), ...replacement, ...steps.slice(index + 1)]);
  return (
    <li>
      <SelectField
        label={isNext ? "Next step" : `Step ${index + 1}`}
        path={`steps[${index}].event_type`}
        value={step.event_type}
        options={withNone(isNext ? "choose an event" : "remove this step", typeNames(catalogue))}
        onValue={(event_type) => (event_type === "" ? replace() : replace({ event_type }))}
      />
      {!isNext && (
        <StepConditions
          key={`${steps.length} ${step.event_type}`}
          query={query}
          step={step}
          catalogue={catalogue}
          onChange={replace}
        />
      )}
    </li>
  );
}

/** The fields of the steps, with an empty one at the end to add another step. */
export function StepFields(props: StepFieldsProps) {
  const group = useKeptFocus<HTMLOListElement>();
  const shown = Math.min(props.steps.length + 1, MAX_STEPS);
  return (
    <ol class="step-fields" ref={group}>
      {Array.from({ length: shown }, (_, index) => (
        <StepItem key={index} {...props} index={index} />
      ))}
    </ol>
  );
}
