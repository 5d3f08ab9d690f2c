import { useState } from "preact/hooks";
import type { AnnotationReply } from "../../../domain/reports/annotation.ts";
import { useKeptFocus } from "../parts/focus.ts";
import { isolated, moment } from "../parts/format.ts";
import { useGuest } from "../shared/guest.ts";
import { AddDialog, DeleteDialog } from "./annotation-dialogs.tsx";
import type { Annotations } from "./use-annotations.ts";

interface ListProps {
  readonly shown: Annotations["shown"];
  readonly zone: string;
  /** Undefined for guests: they cannot delete. */
  readonly onDelete?: (annotation: AnnotationReply) => void;
}

const List = ({ shown, zone, onDelete }: ListProps) =>
  shown.length === 0 ? null : (
    <ol class="annotations" aria-label="Annotations">
      {shown.map((annotation) => (
        <li key={annotation.annotation_id}>
          {moment(annotation.at, zone)}: {isolated(annotation.text)}{" "}
          {onDelete && (
            <button
              type="button"
              class="quiet"
              aria-label={`Delete: ${annotation.text}`}
              onClick={() => onDelete(annotation)}
            >
              Delete …
            </button>
          )}
        </li>
      ))}
    </ol>
  );

interface AnnotationListProps {
  readonly annotations: Annotations;
  readonly zone: string;
}

/** The list with the buttons to add and to delete. */
function EditableList({ annotations: { shown, covers, again }, zone }: AnnotationListProps) {
  const [open, setOpen] = useState<"add" | AnnotationReply | undefined>();
  const [status, setStatus] = useState("");
  const group = useKeptFocus<HTMLDivElement>();
  const close = (): void => setOpen(undefined);
  const done = (what: string): void => {
    close();
    setStatus(what);
    again();
  };
  return (
    <div ref={group}>
      <List shown={shown} zone={zone} onDelete={setOpen} />
      <p>
        <button type="button" class="quiet" onClick={() => setOpen("add")}>
          Add an annotation …
        </button>{" "}
        <span class="hint" role="status">
          {status}
        </span>
      </p>
      {open === "add" && (
        <AddDialog
          zone={zone}
          onDone={({ at }) => done(covers(at) ? "Added." : "Added, at a time outside these dates.")}
          onClose={close}
        />
      )}
      {open !== undefined && open !== "add" && (
        <DeleteDialog annotation={open} zone={zone} onDone={() => done("Deleted.")} onClose={close} />
      )}
    </div>
  );
}

/** The annotations of a plot in words, with the numbers that mark them. Only guests of a shared page cannot add and delete. */
export function AnnotationList(props: AnnotationListProps) {
  const isGuest = useGuest() !== undefined;
  return isGuest ? <List shown={props.annotations.shown} zone={props.zone} /> : <EditableList {...props} />;
}
