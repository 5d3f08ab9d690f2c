import { useState } from "preact/hooks";
import type { SavedQuestionReply } from "../../../domain/reports/saved-question.ts";
import { deleteQuestion, listQuestions, updateQuestion } from "../access/api.ts";
import { useAnswer } from "../access/use-answer.ts";
import { useSending } from "../access/use-sending.ts";
import { Faults, TextField } from "../parts/fields.tsx";
import { useKeptFocus, useModal } from "../parts/focus.ts";
import { Answered, EmptyNotice, ProblemNotice } from "../parts/notices.tsx";
import { linkTo } from "../use-address.ts";
import { byName, linkToQuestion, summaryOf } from "./questions.ts";

interface DialogProps {
  readonly saved: SavedQuestionReply;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

function RenameDialog({ saved, onDone, onClose }: DialogProps) {
  const [name, setName] = useState(saved.name);
  const { problem, send } = useSending<unknown>(onDone);
  const dialog = useModal();
  return (
    <dialog ref={dialog} aria-labelledby="rename-title" onCancel={onClose}>
      <Faults.Provider value={problem?.faults ?? []}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            send(updateQuestion(saved.question_id, { name }));
          }}
        >
          <h2 id="rename-title">Rename {saved.name}</h2>
          <TextField label="Name" path="name" autocomplete="off" required value={name} onValue={setName} />
          {problem !== undefined && <ProblemNotice problem={problem} />}
          <div class="actions">
            <button type="submit" class="primary">
              Rename
            </button>
            <button type="button" onClick={onClose}>
              Cancel
            </button>
          </div>
        </form>
      </Faults.Provider>
    </dialog>
  );
}

function DeleteDialog({ saved, onDone, onClose }: DialogProps) {
  const { problem, send } = useSending<unknown>(onDone);
  const dialog = useModal();
  return (
    <dialog ref={dialog} aria-labelledby="delete-title" onCancel={onClose}>
      <h2 id="delete-title">Delete {saved.name}?</h2>
      <p>It is deleted for everybody. The events stay, so that the same question can be saved again.</p>
      {problem !== undefined && <ProblemNotice problem={problem} />}
      <div class="actions">
        <button type="button" class="danger" onClick={() => send(deleteQuestion(saved.question_id))}>
          Delete the question
        </button>
        <button type="button" onClick={onClose}>
          Do not delete
        </button>
      </div>
    </dialog>
  );
}

const DIALOGS = { rename: RenameDialog, delete: DeleteDialog };

interface ItemProps {
  readonly saved: SavedQuestionReply;
  readonly onChange: () => void;
}

function Item({ saved, onChange }: ItemProps) {
  const [open, setOpen] = useState<keyof typeof DIALOGS | undefined>();
  const { problem, send } = useSending<unknown>(onChange);
  const { name, pinned, question_id } = saved;
  const pin = pinned ? "Unpin" : "Pin to the overview";
  const Dialog = open && DIALOGS[open];
  const done = (): void => {
    setOpen(undefined);
    onChange();
  };
  return (
    <li class="card">
      <div class="title-line">
        <h2>
          <a href={linkToQuestion(saved)}>{name}</a>
        </h2>
        {pinned && <span class="tag">pinned</span>}
      </div>
      <p class="hint">{summaryOf(saved.question)}</p>
      <div class="actions">
        <button
          type="button"
          aria-label={`${pin}: ${name}`}
          onClick={() => send(updateQuestion(question_id, { pinned: !pinned }))}
        >
          {pin}
        </button>
        <button type="button" aria-label={`Rename: ${name}`} onClick={() => setOpen("rename")}>
          Rename …
        </button>
        <button type="button" class="quiet" aria-label={`Delete: ${name}`} onClick={() => setOpen("delete")}>
          Delete …
        </button>
      </div>
      {problem !== undefined && <ProblemNotice problem={problem} />}
      {Dialog && <Dialog saved={saved} onDone={done} onClose={() => setOpen(undefined)} />}
    </li>
  );
}

const NoQuestions = () => (
  <EmptyNotice title="No saved questions yet">
    <p>
      Open a <a href={linkTo(["trend"])}>trend</a>, a <a href={linkTo(["funnel"])}>funnel</a> or a{" "}
      <a href={linkTo(["retention"])}>retention</a>, and choose “Save …” to find it here and in the overview.
    </p>
  </EmptyNotice>
);

/** All saved questions by name: to open, rename, pin and delete. */
export function QuestionsView() {
  const answer = useAnswer("questions", (signal) => listQuestions({}, signal));
  const group = useKeptFocus<HTMLDivElement>();
  return (
    <div ref={group}>
      <h1>Saved questions</h1>
      <Answered answer={answer} what="the saved questions">
        {({ questions }) =>
          questions.length === 0 ? (
            <NoQuestions />
          ) : (
            <ul class="cards">
              {[...questions].sort(byName).map((saved) => (
                <Item key={saved.question_id} saved={saved} onChange={answer.again} />
              ))}
            </ul>
          )
        }
      </Answered>
    </div>
  );
}
