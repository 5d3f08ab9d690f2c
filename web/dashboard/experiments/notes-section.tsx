import { useState } from "preact/hooks";
import type { ExperimentReply } from "../../../domain/experiments/experiment.ts";
import { updateExperiment } from "../access/api.ts";
import type { Problem } from "../access/problem.ts";
import { Faults, TextArea } from "../parts/fields.tsx";
import { moment } from "../parts/format.ts";
import { ProblemNotice } from "../parts/notices.tsx";
import { More } from "../parts/table.tsx";

interface NotesFormProps {
  readonly test: ExperimentReply;
  readonly onChange: () => void;
}

function NotesForm({ test, onChange }: NotesFormProps) {
  const [hypothesis, setHypothesis] = useState(test.hypothesis ?? "");
  const [notes, setNotes] = useState(test.notes ?? "");
  const [problem, setProblem] = useState<Problem | undefined>();
  const save = (): void => {
    const written = (text: string): string | null => (text.trim() === "" ? null : text);
    const change = { hypothesis: written(hypothesis), notes: written(notes) };
    updateExperiment(test.id, change).then(onChange, setProblem);
  };
  return (
    <Faults.Provider value={problem?.faults ?? []}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <TextArea label="Hypothesis" path="hypothesis" value={hypothesis} onValue={setHypothesis} />
        <TextArea label="Notes" path="notes" value={notes} onValue={setNotes} />
        <div class="actions">
          <button type="submit">Save</button>
        </div>
        {problem !== undefined && <ProblemNotice problem={problem} />}
      </form>
    </Faults.Provider>
  );
}

interface NotesSectionProps extends NotesFormProps {
  readonly zone: string;
}

/** What the team wrote about an experiment: its hypothesis, notes, and the decision at its end. */
export function NotesSection({ test, zone, onChange }: NotesSectionProps) {
  const { hypothesis, notes, decision } = test;
  return (
    <section aria-labelledby="notes-title">
      <h2 id="notes-title">Notes</h2>
      {decision !== null && (
        <p>
          <strong>Decided</strong> by {decision.who}, {moment(decision.when, zone)}: {decision.why}
        </p>
      )}
      {hypothesis !== null && <p>Hypothesis: {hypothesis}</p>}
      {notes !== null && <p class="notes">{notes}</p>}
      <More summary="Edit hypothesis and notes">{() => <NotesForm test={test} onChange={onChange} />}</More>
    </section>
  );
}
