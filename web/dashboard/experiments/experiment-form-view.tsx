import { useEffect, useRef, useState } from "preact/hooks";
import { createExperiment } from "../access/api.ts";
import { inPercent, Problem } from "../access/problem.ts";
import { useCatalogue } from "../events/use-catalogue.ts";
import { Faults, TextField } from "../parts/fields.tsx";
import { ProblemNotice } from "../parts/notices.tsx";
import { go, linkTo } from "../use-address.ts";
import type { ViewProps } from "../view.ts";
import { bodyOf, type ExperimentDraft, emptyDraft } from "./experiment-draft.ts";
import { type DraftProps, MetricFields, VariantFields } from "./experiment-form-fields.tsx";
import { dropDraft, keepDraft, openDraft } from "./kept-draft.ts";

const PlanFields = ({ draft, onChange }: DraftProps) => (
  <fieldset>
    <legend>Plan</legend>
    <div class="row">
      <TextField
        label="Planned users"
        inputMode="numeric"
        path="planned_users"
        hint="over all variants; optional"
        value={draft.plannedUsers}
        onValue={(plannedUsers) => onChange({ plannedUsers })}
      />
      <TextField
        label="Traffic, in %"
        inputMode="decimal"
        path="traffic"
        value={draft.traffic}
        onValue={(traffic) => onChange({ traffic })}
      />
      <TextField
        label="Confidence, in %"
        inputMode="decimal"
        path="confidence_level"
        value={draft.confidence}
        onValue={(confidence) => onChange({ confidence })}
      />
    </div>
    <p>
      <a href={linkTo(["sample-size"])}>Calculate sample size</a>
    </p>
    <label class="choice">
      <input
        type="checkbox"
        checked={draft.start}
        onChange={({ currentTarget }) => onChange({ start: currentTarget.checked })}
      />{" "}
      Start now (otherwise it is a draft, which enrols no users)
    </label>
  </fieldset>
);

const NameFields = ({ draft, onChange }: DraftProps) => (
  <div class="row row-wide">
    <TextField
      label="Name"
      path="test_name"
      hint="the name in your code, for example homepage_button_color"
      value={draft.name}
      onValue={(name) => onChange({ name })}
    />
    <TextField
      label="Description"
      path="description"
      hint="what you change, and why it may help"
      value={draft.description}
      onValue={(description) => onChange({ description })}
    />
  </div>
);

/** Fields that are typed in percent. */
const SHARES = ["traffic", "confidence_level"];

/** Lists all faults and moves the focus there. Each field shows its own faults as well. */
function FormProblem({ problem }: { problem: Problem }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.focus(), [problem]);
  const shown =
    problem.faults.length > 0 && problem.status === 400
      ? new Problem(
          problem.status,
          "Nothing was created. Fix the marked fields, then create it.",
          problem.faults,
        )
      : problem;
  return (
    <div ref={place} tabIndex={-1}>
      <ProblemNotice problem={shown} />
    </div>
  );
}

export function ExperimentFormView({ query }: ViewProps) {
  const catalogue = useCatalogue();
  const [draft, setDraft] = useState<ExperimentDraft>(() => openDraft(query.get("planned_users")));
  const [problem, setProblem] = useState<Problem | undefined>();
  const [sending, setSending] = useState(false);
  const change = (part: Partial<ExperimentDraft>): void =>
    setDraft((before) => {
      const changed = { ...before, ...part };
      keepDraft(changed);
      return changed;
    });
  const clear = (): void => {
    dropDraft();
    setProblem(undefined);
    setDraft(emptyDraft(""));
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setSending(true);
    setProblem(undefined);
    await createExperiment(bodyOf(draft)).then(
      ({ test_id }) => {
        dropDraft();
        go(linkTo(["experiments", String(test_id)]));
      },
      (refused: Problem) => setProblem(inPercent(refused, SHARES)),
    );
    setSending(false);
  };
  return (
    <Faults.Provider value={problem?.faults ?? []}>
      <p>
        <a href={linkTo(["experiments"])}>All experiments</a>
      </p>
      <h1>New experiment</h1>
      {problem !== undefined && <FormProblem problem={problem} />}
      <form onSubmit={submit} noValidate>
        <NameFields draft={draft} onChange={change} />
        <VariantFields draft={draft} onChange={change} />
        <MetricFields draft={draft} onChange={change} catalogue={catalogue} />
        <PlanFields draft={draft} onChange={change} />
        <div class="actions">
          <button type="submit" class="primary" disabled={sending}>
            {sending ? "Creating …" : "Create the experiment"}
          </button>
          <button type="button" class="quiet" onClick={clear}>
            Clear the form
          </button>
        </div>
      </form>
    </Faults.Provider>
  );
}
