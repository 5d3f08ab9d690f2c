import { useState } from "preact/hooks";
import { useCatalogue } from "../events/use-catalogue.ts";
import { optionsOf, SelectField, TextField } from "../parts/fields.tsx";
import { shareOf } from "../parts/format.ts";
import { More } from "../parts/table.tsx";
import { ChangeForm } from "./change-form.tsx";
import {
  metricOf,
  newMetric,
  numberOf,
  replaced,
  shareInWords,
  type VariantDraft,
} from "./experiment-draft.ts";
import { MetricRow } from "./experiment-form-fields.tsx";
import { type ChangeProps, useChange } from "./use-change.ts";

const inPercentText = (share: number): string => String(Number((100 * share).toPrecision(12)));

/** How many users are enrolled, and how they are divided. */
function TrafficForm(props: ChangeProps) {
  const { test } = props;
  const [traffic, setTraffic] = useState(inPercentText(test.traffic));
  const [variants, setVariants] = useState<readonly VariantDraft[]>(
    test.variants.map(({ variant_name, weight }) => ({ name: variant_name, weight: String(weight) })),
  );
  const { change, ...state } = useChange(props);
  const save = (): Promise<void> =>
    change({
      traffic: shareOf(numberOf(traffic)),
      weights: Object.fromEntries(variants.map(({ name, weight }) => [name, numberOf(weight)])),
    });
  return (
    <ChangeForm label="Traffic and weights" button="Save traffic and weights" onSend={save} {...state}>
      <p class="hint">
        Users who have a variant keep it. Results compare users of the same weights, so that a change does not
        mislead them.
      </p>
      <div class="row">
        <TextField
          label="Traffic, in %"
          inputMode="decimal"
          path="traffic"
          value={traffic}
          onValue={setTraffic}
        />
        {variants.map(({ name, weight }, index) => (
          <TextField
            key={name}
            label={`Weight of ${name}`}
            hint={shareInWords(variants, index)}
            inputMode="decimal"
            path={`weights.${name}`}
            value={weight}
            onValue={(value) => setVariants(replaced(variants, index, { weight: value }))}
          />
        ))}
      </div>
    </ChangeForm>
  );
}

const NO_LONGER = "";

/** Shows a variant to a user who tries it out. */
function TesterForm(props: ChangeProps) {
  const names = props.test.variants.map(({ variant_name }) => variant_name);
  const [user, setUser] = useState("");
  const [variant, setVariant] = useState(names[0] ?? NO_LONGER);
  const { change, ...state } = useChange(props);
  const save = (): Promise<void> => change({ forced: { [user]: variant === NO_LONGER ? null : variant } });
  return (
    <ChangeForm label="Testers" button="Save the tester" onSend={save} {...state}>
      <p class="hint">A tester sees the chosen variant, and is not part of the results.</p>
      <div class="row">
        <TextField label="User id of the tester" path={`forced.${user}`} value={user} onValue={setUser} />
        <SelectField
          label="Variant of the tester"
          value={variant}
          options={[...optionsOf(names), { value: NO_LONGER, label: "no longer a tester" }]}
          onValue={setVariant}
        />
      </div>
    </ChangeForm>
  );
}

function MetricForm(props: ChangeProps) {
  const catalogue = useCatalogue();
  const [metric, setMetric] = useState(newMetric);
  const { change, ...state } = useChange(props);
  return (
    <ChangeForm
      label="Add a metric"
      button="Add the metric"
      onSend={() => change({ metrics: [metricOf(metric, false)] })}
      {...state}
    >
      <p class="hint">
        A metric that is added later never decides. Made of events, it counts those that are stored already.
      </p>
      <div class="row">
        <MetricRow
          metric={metric}
          index={0}
          catalogue={catalogue}
          decides={false}
          onMetric={(part) => setMetric((before) => ({ ...before, ...part }))}
        />
      </div>
    </ChangeForm>
  );
}

/** What can be changed while an experiment is open. */
export function SettingsSection(props: ChangeProps) {
  const { status } = props.test;
  if (status === "stopped" || status === "archived") return null;
  return (
    <section aria-labelledby="settings-title">
      <h2 id="settings-title">Settings</h2>
      <More summary="Change traffic and weights">{() => <TrafficForm {...props} />}</More>
      <More summary="Show a variant to a tester">{() => <TesterForm {...props} />}</More>
      <More summary="Add a metric">{() => <MetricForm {...props} />}</More>
    </section>
  );
}
