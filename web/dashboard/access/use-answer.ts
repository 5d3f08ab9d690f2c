import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "./problem.ts";

/** The state of a request. While it is repeated, the previous answer remains. */
export interface Answer<T> {
  readonly value: T | undefined;
  readonly problem: Problem | undefined;
  readonly loading: boolean;
  again(): void;
}

/**
 * Sends a request whenever `question` changes. That is any text that identifies the request; undefined sends none. The
 * answer to an outdated request is dropped.
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
