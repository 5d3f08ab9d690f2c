import { useState } from "preact/hooks";
import type { Problem } from "./problem.ts";

/** Sends a change, and holds why it was refused. */
export function useSending<T>(onDone: (reply: T) => void) {
  const [problem, setProblem] = useState<Problem | undefined>();
  const send = (sent: Promise<T>): void => {
    setProblem(undefined);
    sent.then(onDone, setProblem);
  };
  return { problem, send };
}
