import { useState } from "preact/hooks";
import type { ExperimentReply } from "../../../domain/experiments/experiment.ts";
import { type ChangeBody, updateExperiment } from "../access/api.ts";
import type { Problem } from "../access/problem.ts";

/** A form or a button that changes an experiment. */
export interface ChangeProps {
  readonly test: ExperimentReply;
  /** Called after each change, to show the experiment as it is now. */
  readonly onChange: () => void;
}

/** Changes an experiment, and holds why the last change was refused, or that it was saved. */
export function useChange({ test, onChange }: ChangeProps) {
  const [problem, setProblem] = useState<Problem | undefined>();
  const [isSaved, setSaved] = useState(false);
  const change = async (body: ChangeBody): Promise<void> => {
    setProblem(undefined);
    setSaved(false);
    await updateExperiment(test.id, body).then(() => {
      setSaved(true);
      onChange();
    }, setProblem);
  };
  return { problem, isSaved, change };
}
