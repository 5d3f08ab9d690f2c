import type { Catalogue } from "../../../domain/reports/catalogue.ts";
import type { Answer } from "../access/use-answer.ts";
import { propertyNames, typeNames } from "../events/use-catalogue.ts";
import { type Option, SelectField, TextField } from "../parts/fields.tsx";
import { useKeptFocus } from "../parts/focus.ts";
import { withNone } from "../reports/filter-fields.tsx";
import {
  type ExperimentDraft,
  type MetricDraft,
  newMetric,
  newVariant,
  replaced,
  shareInWords,
  without,
} from "./experiment-draft.ts";

export interface DraftProps {
  readonly draft: ExperimentDraft;
  readonly onChange: (change: Partial<ExperimentDraft>) => void;
}

const Remove = ({ what, onClick }: { what: string; onClick: () => void }) => (
  <button type="button" class="quiet" onClick={onClick}>
    Remove {what}
  </button>
);

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly checked: boolean;
  readonly onChoose: () => void;
}

const Choice = ({ name, label, checked, onChoose }: ChoiceProps) => (
  <label class="choice">
    <input type="radio" name={name} checked={checked} onChange={onChoose} /> {label}
  </label>
);

export function VariantFields({ draft: { variants, control }, onChange }: DraftProps) {
  const remove = (index: number): void => {
    const { list, chosen } = without(variants, index, control);
    onChange({ variants: list, control: chosen });
  };
  const group = useKeptFocus<HTMLFieldSetElement>();
  return (
    <fieldset ref={group}>
      <legend>Variants</legend>
      {variants.map(({ name, weight }, index) => (
        <div class="row" key={index}>
          <TextField
            label={`Name of variant ${index + 1}`}
            path={`variants[${index}].variant_name`}
            value={name}
            onValue={(value) => onChange({ variants: replaced(variants, index, { name: value }) })}
          />
          <TextField
            label="Weight"
            hint={shareInWords(variants, index)}
            inputMode="decimal"
            path={`variants[${index}].weight`}
            value={weight}
            onValue={(value) => onChange({ variants: replaced(variants, index, { weight: value }) })}
          />
          <Choice
            name="control"
            label="control"
            checked={index === control}
            onChoose={() => onChange({ control: index })}
          />
          {variants.length > 2 && <Remove what={`variant ${index + 1}`} onClick={() => remove(index)} />}
        </div>
      ))}
      <p class="hint">
        Users are divided by the weights. The others are compared with the control, which is how it is now.
      </p>
      <button type="button" onClick={() => onChange({ variants: [...variants, newVariant()] })}>
        Add a variant
      </button>
    </fieldset>
  );
}

const KINDS: readonly Option[] = [
  { value: "conversion", label: "users who do it" },
  { value: "mean", label: "sum per user" },
  { value: "count", label: "times per user" },
];
const DIRECTIONS: readonly Option[] = [
  { value: "increase", label: "more is better" },
  { value: "decrease", label: "less is better" },
];

const ROLES: readonly Option[] = [
  { value: "exploratory", label: "is only shown" },
  { value: "guardrail", label: "must not get worse (guardrail)" },
];

/** Role of a metric that does not decide; a guardrail should state how much worse it may get. */
function RoleFields({ metric, index, onMetric }: Omit<MetricRowProps, "catalogue" | "decides">) {
  const { kind, role, margin } = metric;
  return (
    <>
      <SelectField
        label="Role"
        path={`metrics[${index}].role`}
        value={role}
        options={ROLES}
        onValue={(value) => onMetric({ role: value as MetricDraft["role"] })}
      />
      {role === "guardrail" && (
        <TextField
          label="May get worse by at most"
          inputMode="decimal"
          hint={kind === "conversion" ? "in percentage points" : "per user"}
          path={`metrics[${index}].margin`}
          value={margin}
          onValue={(value) => onMetric({ margin: value })}
        />
      )}
    </>
  );
}

interface MetricRowProps {
  readonly metric: MetricDraft;
  readonly index: number;
  readonly catalogue: Answer<Catalogue>;
  readonly decides: boolean;
  readonly onMetric: (change: Partial<MetricDraft>) => void;
}

/** The fields of one metric. */
export function MetricRow({ metric, index, catalogue, decides, onMetric }: MetricRowProps) {
  const { name, kind, direction, eventType, property } = metric;
  return (
    <>
      <TextField
        label={`Name of metric ${index + 1}`}
        path={`metrics[${index}].metric_name`}
        value={name}
        onValue={(value) => onMetric({ name: value })}
      />
      <SelectField
        label="Measures"
        value={kind}
        options={KINDS}
        onValue={(value) => onMetric({ kind: value as MetricDraft["kind"] })}
      />
      <SelectField
        label="Direction"
        value={direction}
        options={DIRECTIONS}
        onValue={(value) => onMetric({ direction: value as MetricDraft["direction"] })}
      />
      <SelectField
        label="Event"
        path={`metrics[${index}].event_type`}
        value={eventType}
        options={withNone("tracked values", typeNames(catalogue))}
        onValue={(value) => onMetric({ eventType: value, property: "" })}
      />
      {eventType !== "" && kind === "mean" && (
        <SelectField
          label="Number in"
          path={`metrics[${index}].property`}
          value={property}
          options={withNone("each counts 1", propertyNames(catalogue, [eventType]))}
          onValue={(value) => onMetric({ property: value })}
        />
      )}
      {!decides && <RoleFields metric={metric} index={index} onMetric={onMetric} />}
    </>
  );
}

export function MetricFields({
  draft: { metrics, primary },
  onChange,
  catalogue,
}: DraftProps & { catalogue: Answer<Catalogue> }) {
  const remove = (index: number): void => {
    const { list, chosen } = without(metrics, index, primary);
    onChange({ metrics: list, primary: chosen });
  };
  const group = useKeptFocus<HTMLFieldSetElement>();
  return (
    <fieldset ref={group}>
      <legend>Metrics</legend>
      {metrics.map((metric, index) => (
        <div class="row" key={index}>
          <MetricRow
            metric={metric}
            index={index}
            catalogue={catalogue}
            decides={index === primary}
            onMetric={(change) => onChange({ metrics: replaced(metrics, index, change) })}
          />
          <Choice
            name="primary"
            label="primary metric"
            checked={index === primary}
            onChoose={() => onChange({ primary: index })}
          />
          <Remove what={`metric ${index + 1}`} onClick={() => remove(index)} />
        </div>
      ))}
      <p class="hint">
        One metric decides: choose it before you see any figures. A guardrail without a limit only stops a
        variant that is clearly worse. A metric is made of values that are tracked for this experiment, or of
        events of one type.
      </p>
      <button type="button" onClick={() => onChange({ metrics: [...metrics, newMetric()] })}>
        Add a metric
      </button>
    </fieldset>
  );
}
