import { useState } from "preact/hooks";
import type { AnnotationReply } from "../../../domain/reports/annotation.ts";
import { createAnnotation, deleteAnnotation } from "../access/api.ts";
import { useSending } from "../access/use-sending.ts";
import { Faults, TextField } from "../parts/fields.tsx";
import { useModal } from "../parts/focus.ts";
import { isolated, moment } from "../parts/format.ts";
import { ProblemNotice } from "../parts/notices.tsx";
import { instantOf, localTime } from "../zone.ts";

interface AddDialogProps {
  readonly zone: string;
  readonly onDone: (added: AnnotationReply) => void;
  readonly onClose: () => void;
}

/** Marks a moment: now, unless another time is chosen. */
export function AddDialog({ zone, onDone, onClose }: AddDialogProps) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(() => localTime(Date.now(), zone));
  const { problem, send } = useSending(onDone);
  const dialog = useModal();
  const add = (event: Event): void => {
    event.preventDefault();
    send(createAnnotation({ text, at: new Date(instantOf(at, zone)).toISOString() }));
  };
  return (
    <dialog ref={dialog} aria-labelledby="add-annotation" onCancel={onClose}>
      <Faults.Provider value={problem?.faults ?? []}>
        <form onSubmit={add}>
          <h2 id="add-annotation">Add an annotation</h2>
          <p>
            It marks a moment that explains a figure, such as a release. Everybody who can read this server
            sees it.
          </p>
          <TextField label="Text" path="text" autocomplete="off" required value={text} onValue={setText} />
          <TextField
            label={`Time, in the time zone ${zone}`}
            path="at"
            type="datetime-local"
            min="1970-01-01T00:00"
            max="9998-12-31T23:59"
            required
            value={at}
            onValue={setAt}
          />
          {problem !== undefined && <ProblemNotice problem={problem} />}
          <div class="actions">
            <button type="submit" class="primary">
              Add
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

interface DeleteDialogProps {
  readonly annotation: AnnotationReply;
  readonly zone: string;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

export function DeleteDialog({ annotation, zone, onDone, onClose }: DeleteDialogProps) {
  const { annotation_id, at, text } = annotation;
  const { problem, send } = useSending(onDone);
  const dialog = useModal();
  return (
    <dialog ref={dialog} aria-labelledby="delete-annotation" onCancel={onClose}>
      <h2 id="delete-annotation">Delete this annotation?</h2>
      <p>
        {moment(at, zone)}: {isolated(text)}
      </p>
      <p>It is deleted for everybody.</p>
      {problem !== undefined && <ProblemNotice problem={problem} />}
      <div class="actions">
        <button type="button" class="danger" onClick={() => send(deleteAnnotation(annotation_id))}>
          Delete the annotation
        </button>
        <button type="button" onClick={onClose}>
          Do not delete
        </button>
      </div>
    </dialog>
  );
}
