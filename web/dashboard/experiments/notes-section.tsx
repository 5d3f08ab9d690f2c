import { useState } from "preact/hooks";
import type { ExperimentReply } from "../../../domain/experiments/experiment.ts";
import { TextArea } from "../parts/fields.tsx";
import { moment } from "../parts/format.ts";
import { More } from "../parts/table.tsx";
import { ChangeForm } from "./change-form.tsx";
import { type ChangeProps, useChange } from "./use-change.ts";

/** Text of a field; null where it is empty. */
const written = (text: string): string | null => (text.trim() === "" ? null : text);

function NotesForm(props: ChangeProps) {
  const { test } = props;
  const [description, setDescription] = useState(test.description ?? "");
  const [hypothesis, setHypothesis] = useState(test.hypothesis ?? "");
  const [notes, setNotes] = useState(test.notes ?? "");
  const { change, ...state } = useChange(props);
  const save = (): Promise<void> =>
    change({ description: written(description), hypothesis: written(hypothesis), notes: written(notes) });
  return (
    <ChangeForm label="Description, hypothesis and notes" button="Save" onSend={save} {...state}>
      <TextArea label="Description" path="description" value={description} onValue={setDescription} />
      <TextArea label="Hypothesis" path="hypothesis" value={hypothesis} onValue={setHypothesis} />
      <TextArea label="Notes" path="notes" value={notes} onValue={setNotes} />
    </ChangeForm>
  );
}

interface NotesSectionProps extends ChangeProps {
  readonly zone: string;
}

interface WrittenProps {
  readonly test: Pick<ExperimentReply, "hypothesis" | "decision">;
  readonly zone: string;
}

/** The hypothesis of an experiment and the decision at its end. */
export const Written = ({ test: { hypothesis, decision }, zone }: WrittenProps) => (
  <>
    {decision !== null && (
      <p>
        <strong>Decided</strong> by {decision.who}, {moment(decision.when, zone)}: {decision.why}
      </p>
    )}
    {hypothesis !== null && <p>Hypothesis: {hypothesis}</p>}
  </>
);

/** What the team wrote about an experiment: its hypothesis, notes, and the decision at its end. */
export function NotesSection({ test, zone, onChange }: NotesSectionProps) {
  const { notes } = test;
  return (
    <section aria-labelledby="notes-title">
      <h2 id="notes-title">Notes</h2>
      <Written test={test} zone={zone} />
      {notes !== null && <p class="notes">{notes}</p>}
      <More summary="Edit description, hypothesis and notes">
        {() => <NotesForm test={test} onChange={onChange} />}
      </More>
    </section>
  );
}
