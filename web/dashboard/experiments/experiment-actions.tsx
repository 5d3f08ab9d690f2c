import { useEffect, useRef, useState } from "preact/hooks";
import type { ExperimentReply } from "../../../domain/experiments/experiment.ts";
import type { ExperimentChange } from "../../../domain/experiments/lifecycle.ts";
import type { Results } from "../../../domain/experiments/results/results.ts";
import { updateExperiment } from "../access/api.ts";
import type { Problem } from "../access/problem.ts";
import { TextField } from "../parts/fields.tsx";
import { ProblemNotice } from "../parts/notices.tsx";
import { sentenceOf, variantNames } from "./verdict.tsx";

interface StopDialogProps {
  readonly test: ExperimentReply;
  readonly results: Results;
  readonly onStop: (change: ExperimentChange) => void;
  readonly onClose: () => void;
}

/** Warning for naming a winner that the figures do not support. */
function warningFor({ verdict }: Results, winner: string | null): string | undefined {
  if (winner === null || (verdict.kind === "winner" && verdict.variant_name === winner)) return undefined;
  if (verdict.kind === "broken_split") return "The split is broken: the figures support no variant.";
  return `The figures do not show that ${winner} is better. You can still choose it: it is shown as your decision.`;
}

function StopDialog({ test, results, onStop, onClose }: StopDialogProps) {
  const [winner, setWinner] = useState<string | null>(null);
  const [who, setWho] = useState("");
  const [why, setWhy] = useState("");
  const isDecided = who.trim() !== "" || why.trim() !== "";
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const warning = warningFor(results, winner);
  const choice = (name: string | null, label: string) => (
    <label class="choice" key={label}>
      <input type="radio" name="winner" checked={winner === name} onChange={() => setWinner(name)} /> {label}
    </label>
  );
  return (
    <dialog ref={dialog} aria-labelledby="stop-title" onCancel={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const decision = isDecided ? { decision: { who, why } } : {};
          onStop({ status: "stopped", winner, ...decision });
        }}
      >
        <h2 id="stop-title">Stop {test.test_name}?</h2>
        <p>
          A stopped experiment takes no more users and values, and cannot run again. Its figures stay as they
          are now. All visitors are shown the winner, or the control where there is none.
        </p>
        <p>{sentenceOf(results.verdict, variantNames(results))}</p>
        <fieldset>
          <legend>Which variant won?</legend>
          {choice(null, "None")}
          {test.variants.map(({ variant_name }) => choice(variant_name, variant_name))}
        </fieldset>
        <p class="warning" role="status">
          {warning ?? ""}
        </p>
        <TextField
          label="Decided by"
          hint="Kept with the experiment; may stay empty"
          value={who}
          required={isDecided}
          onValue={setWho}
        />
        <TextField label="Reason" value={why} required={isDecided} onValue={setWhy} />
        <div class="actions">
          <button type="submit" class="danger">
            Stop the experiment
          </button>
          <button type="button" onClick={onClose}>
            Do not stop
          </button>
        </div>
      </form>
    </dialog>
  );
}

interface ExperimentActionsProps {
  readonly test: ExperimentReply;
  readonly results: Results;
  readonly onChange: () => void;
}

/** Actions that the status of a test allows. */
export function ExperimentActions({ test, results, onChange }: ExperimentActionsProps) {
  const [stopping, setStopping] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>();
  const change = async (body: ExperimentChange): Promise<void> => {
    setStopping(false);
    setProblem(undefined);
    await updateExperiment(test.id, body).then(onChange, setProblem);
  };
  const button = (label: string, status: ExperimentReply["status"]) => (
    <button type="button" onClick={() => change({ status })}>
      {label}
    </button>
  );
  return (
    <div class="actions">
      {test.status === "draft" && button("Start the experiment", "running")}
      {test.status === "running" && button("Pause", "paused")}
      {test.status === "paused" && button("Resume", "running")}
      {(test.status === "running" || test.status === "paused") && (
        <button type="button" onClick={() => setStopping(true)}>
          Stop the experiment …
        </button>
      )}
      {(test.status === "draft" || test.status === "stopped") && button("Archive", "archived")}
      {test.status === "archived" &&
        test.stopped_at !== null &&
        button("Restore from the archive", "stopped")}
      {problem !== undefined && <ProblemNotice problem={problem} />}
      {stopping && (
        <StopDialog test={test} results={results} onStop={change} onClose={() => setStopping(false)} />
      )}
    </div>
  );
}
