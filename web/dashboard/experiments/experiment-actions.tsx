import { useState } from "preact/hooks";
import type { ExperimentReply } from "../../../domain/experiments/experiment.ts";
import type { Results } from "../../../domain/experiments/results/results.ts";
import { type ChangeBody, deleteExperiment } from "../access/api.ts";
import type { Problem } from "../access/problem.ts";
import { TextField } from "../parts/fields.tsx";
import { useModal } from "../parts/focus.ts";
import { ProblemNotice } from "../parts/notices.tsx";
import { go, linkTo } from "../use-address.ts";
import { type ChangeProps, useChange } from "./use-change.ts";
import { sentenceOf, variantNames } from "./verdict.tsx";

interface StopDialogProps {
  readonly test: ExperimentReply;
  readonly results: Results;
  readonly onStop: (change: ChangeBody) => void;
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
  const dialog = useModal();
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

interface DeleteDialogProps {
  readonly test: ExperimentReply;
  readonly onDelete: () => void;
  readonly onClose: () => void;
}

function DeleteDialog({ test, onDelete, onClose }: DeleteDialogProps) {
  const dialog = useModal();
  return (
    <dialog ref={dialog} aria-labelledby="delete-title" onCancel={onClose}>
      <h2 id="delete-title">Delete {test.test_name}?</h2>
      <p>
        Its users, values and results are deleted, and cannot be restored. An archived experiment is out of
        the way as well, and keeps its results.
      </p>
      {test.status === "running" && <p>It is running: visitors will see what your code shows without it.</p>}
      <div class="actions">
        <button type="button" class="danger" onClick={onDelete}>
          Delete the experiment
        </button>
        <button type="button" onClick={onClose}>
          Do not delete
        </button>
      </div>
    </dialog>
  );
}

interface ExperimentActionsProps extends ChangeProps {
  readonly results: Results;
}

/** Actions that the status of a test allows. */
export function ExperimentActions({ test, results, onChange }: ExperimentActionsProps) {
  const [open, setOpen] = useState<"stop" | "delete" | undefined>();
  const close = (): void => setOpen(undefined);
  const { change, problem } = useChange({ test, onChange });
  const [refusal, setRefusal] = useState<Problem | undefined>();
  const remove = (): void => {
    close();
    deleteExperiment(test.id).then(() => go(linkTo(["experiments"])), setRefusal);
  };
  const button = (label: string, status: ExperimentReply["status"]) => (
    <button type="button" onClick={() => change({ status })}>
      {label}
    </button>
  );
  const shown = problem ?? refusal;
  return (
    <div class="actions">
      {test.status === "draft" && button("Start the experiment", "running")}
      {test.status === "running" && button("Pause", "paused")}
      {test.status === "paused" && button("Resume", "running")}
      {(test.status === "running" || test.status === "paused") && (
        <button type="button" onClick={() => setOpen("stop")}>
          Stop the experiment …
        </button>
      )}
      {(test.status === "draft" || test.status === "stopped") && button("Archive", "archived")}
      {test.status === "archived" &&
        test.stopped_at !== null &&
        button("Restore from the archive", "stopped")}
      <button type="button" class="quiet" onClick={() => setOpen("delete")}>
        Delete …
      </button>
      {shown !== undefined && <ProblemNotice problem={shown} />}
      {open === "stop" && (
        <StopDialog
          test={test}
          results={results}
          onStop={(body) => {
            close();
            change(body);
          }}
          onClose={close}
        />
      )}
      {open === "delete" && <DeleteDialog test={test} onDelete={remove} onClose={close} />}
    </div>
  );
}
