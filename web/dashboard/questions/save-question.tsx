import { useState } from "preact/hooks";
import { listQuestions, saveQuestion, updateQuestion } from "../access/api.ts";
import type { Problem } from "../access/problem.ts";
import { useAnswer } from "../access/use-answer.ts";
import { TextField } from "../parts/fields.tsx";
import { useModal } from "../parts/focus.ts";
import { ProblemNotice } from "../parts/notices.tsx";
import { linkTo } from "../use-address.ts";
import { type Asked, OPENED, questionOf, rangeLabel } from "./questions.ts";

interface SaveDialogProps {
  readonly asked: Asked;
  readonly onSaved: () => void;
  readonly onClose: () => void;
}

const isSame = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();

/** The saved questions that a new one may replace. None while they load, and where they cannot be had. */
function useSaved(query: URLSearchParams) {
  const { value } = useAnswer("saved questions", (signal) => listQuestions({}, signal));
  const all = value?.questions ?? [];
  return { all, opened: all.find(({ question_id }) => question_id === query.get(OPENED)) };
}

function SaveDialog({ asked, onSaved, onClose }: SaveDialogProps) {
  const { all, opened } = useSaved(asked.query);
  const [typed, setName] = useState<string | undefined>();
  const [chosen, setPinned] = useState<boolean | undefined>();
  const [problem, setProblem] = useState<Problem | undefined>();
  const dialog = useModal();
  const question = questionOf(asked);
  const name = typed ?? opened?.name ?? "";
  const replaced = all.find((saved) => isSame(saved.name, name));
  const pinned = chosen ?? replaced?.pinned ?? true;
  const save = (event: Event): void => {
    event.preventDefault();
    setProblem(undefined);
    const sent =
      replaced === undefined
        ? saveQuestion({ name, pinned, question })
        : updateQuestion(replaced.question_id, { pinned, question });
    sent.then(onSaved, setProblem);
  };
  return (
    <dialog ref={dialog} aria-labelledby="save-title" onCancel={onClose}>
      <form onSubmit={save}>
        <h2 id="save-title">Save this {asked.report}</h2>
        <p>
          Everybody who can read this server sees it.{" "}
          {question.range === null
            ? "It always shows the chosen dates."
            : `Its range moves with time: ${rangeLabel(question.range).toLowerCase()}.`}
        </p>
        <TextField
          label="Name"
          autocomplete="off"
          required
          value={name}
          hint={replaced === undefined ? undefined : "Replaces the saved question of this name."}
          onValue={setName}
        />
        <label class="choice">
          <input
            type="checkbox"
            checked={pinned}
            onChange={({ currentTarget }) => setPinned(currentTarget.checked)}
          />{" "}
          Pin to the overview
        </label>
        {problem !== undefined && <ProblemNotice problem={problem} />}
        <div class="actions">
          <button type="submit" class="primary">
            {replaced === undefined ? "Save" : "Replace"}
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  );
}

/** Saves what a view shows under a name. */
export function SaveQuestion(asked: Asked) {
  const [open, setOpen] = useState(false);
  const [saved, setSaved] = useState<string | undefined>();
  const settings = asked.query.toString();
  return (
    <div class="save">
      <button type="button" onClick={() => setOpen(true)}>
        Save …
      </button>
      <span class="hint" role="status">
        {saved === settings && (
          <>
            Saved. <a href={linkTo(["questions"])}>Saved questions</a>
          </>
        )}
      </span>
      {open && (
        <SaveDialog
          asked={asked}
          onSaved={() => {
            setOpen(false);
            setSaved(settings);
          }}
          onClose={() => setOpen(false)}
        />
      )}
    </div>
  );
}
