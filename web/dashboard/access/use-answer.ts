import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "./problem.ts";

/** What came of a question so far. While it is asked anew, the answer before it is still there. */
export interface Answer<T> {
  readonly value: T | undefined;
  readonly problem: Problem | undefined;
  readonly loading: boolean;
  again(): void;
}

/**
 * Asks whenever `question` changes, which is any text that tells questions apart; undefined asks nothing. The answer to
 * a question that nobody asks any more is dropped.
 */
export function useAnswer<T>(
  question: string | undefined,
  ask: (signal: AbortSignal) => Promise<T>,
): Answer<T> {
  const [state, setState] = useState<Omit<Answer<T>, "again">>({
    value: undefined,
    problem: undefined,
    loading: question !== undefined,
  });
  const [attempt, setAttempt] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;

  useEffect(() => {
    const leaving = new AbortController();
    const { signal } = leaving;
    const settle = (value: T | undefined, problem: Problem | undefined): void => {
      if (!signal.aborted) setState({ value, problem, loading: false });
    };
    if (question === undefined) {
      settle(undefined, undefined);
    } else {
      setState(({ value }) => ({ value, problem: undefined, loading: true }));
      latest.current(signal).then(
        (value) => settle(value, undefined),
        (problem: Problem) => settle(undefined, problem),
      );
    }
    return () => leaving.abort();
  }, [question, attempt]);

  return { ...state, again: () => setAttempt((count) => count + 1) };
}
