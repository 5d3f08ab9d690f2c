import { FilterField, type Option, SelectField } from "../parts/fields.tsx";
import {
  type Condition,
  conditionText,
  isOperator,
  needsValue,
  OPERATORS,
  type Operator,
} from "./filters.ts";
import { useSuggestions } from "./use-suggestions.ts";

interface ConditionTagsProps<C extends Condition> {
  readonly conditions: readonly C[];
  readonly onRemove: (condition: C) => void;
  readonly label?: string;
}

/** The conditions that apply, each with a button that removes it. */
export const ConditionTags = <C extends Condition>({
  conditions,
  onRemove,
  label = "Conditions",
}: ConditionTagsProps<C>) =>
  conditions.length === 0 ? null : (
    <ul class="conditions" aria-label={label}>
      {conditions.map((condition) => {
        const text = conditionText(condition);
        return (
          <li key={text}>
            {text}{" "}
            <button type="button" aria-label={`Remove: ${text}`} onClick={() => onRemove(condition)}>
              ×
            </button>
          </li>
        );
      })}
    </ul>
  );

const OPERATOR_OPTIONS: readonly Option[] = Object.entries(OPERATORS).map(([value, label]) => ({
  value,
  label,
}));

interface NewConditionProps {
  readonly query: URLSearchParams;
  /** The types of the events that are filtered; empty for all. */
  readonly types: readonly string[];
  readonly property: string;
  readonly operator: Operator;
  readonly onOperator: (operator: Operator) => void;
  readonly onCondition: (condition: Condition) => void;
}

/** The comparison of a property that was chosen. It applies as soon as it has its value, or needs none. */
export function NewCondition(props: NewConditionProps) {
  const { query, types, property, operator, onOperator, onCondition } = props;
  const suggestions = useSuggestions(query, types, property);
  const choose = (value: string): void => {
    if (!isOperator(value)) return;
    if (needsValue(value)) onOperator(value);
    else onCondition({ property, operator: value, value: "1" });
  };
  return (
    <>
      <SelectField
        label={`Comparison of ${property}`}
        value={operator}
        options={OPERATOR_OPTIONS}
        onValue={choose}
      />
      <FilterField
        label={`Value of ${property}`}
        hint="applies when you leave the field"
        suggestions={suggestions}
        value=""
        onValue={(value) => onCondition({ property, operator, value })}
      />
    </>
  );
}
