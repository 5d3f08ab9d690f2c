import { type Asking, nobodyWaits, tooLong } from "../../../domain/reports/answer.ts";

/** Runs a few acts at once; the others wait in the order in which they came. */
export type Lane = <T>(act: () => Promise<T>) => Promise<T>;

export function createLane(atOnce: number): Lane {
  const waiting: (() => void)[] = [];
  let running = 0;

  return async (act) => {
    if (running === atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await act();
    } finally {
      // The next one takes this place.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

/** Runs an act that ends when its time is over, or when its asker has gone. The time begins with the call. */
export async function limited<T>(
  limitMs: number,
  { gone, instead }: Pick<Asking, "gone" | "instead">,
  act: (givenUp: AbortSignal) => Promise<T>,
): Promise<T> {
  const giving = new AbortController();
  const leave = (): void => giving.abort(nobodyWaits());
  const timer = setTimeout(() => giving.abort(tooLong(limitMs, instead)), limitMs);
  gone?.addEventListener("abort", leave);
  if (gone?.aborted) leave();
  try {
    return await act(giving.signal);
  } catch (error) {
    throw giving.signal.aborted ? giving.signal.reason : error;
  } finally {
    clearTimeout(timer);
    gone?.removeEventListener("abort", leave);
  }
}

/** An act that is waiting for its turn, and everybody who waits for its answer. */
interface Shared<T> {
  readonly answer: Promise<T>;
  readonly giving: AbortController;
  askers: number;
}

/** Answers equal questions once. `key` tells which are equal, and `act` calls `begin` when it takes its snapshot. */
export type Once<T> = (
  key: string,
  asking: Asking,
  act: (asking: Asking, begin: () => void) => Promise<T>,
) => Promise<T>;

/**
 * A question joins an equal one that has not begun. One that has begun may miss an event that was stored before the new
 * question was asked.
 */
export function createOnce<T>(): Once<T> {
  const waiting = new Map<string, Shared<T>>();

  function share(key: string, asking: Asking, act: Parameters<Once<T>>[2]): Shared<T> {
    const giving = new AbortController();
    let hasBegun = false;
    const begin = (): void => {
      hasBegun = true;
      if (waiting.get(key)?.giving === giving) waiting.delete(key);
    };
    const answer = act({ ...asking, gone: giving.signal }, begin).finally(begin);
    const shared: Shared<T> = { answer, giving, askers: 0 };
    if (!hasBegun) waiting.set(key, shared);
    return shared;
  }

  return async (key, asking, act) => {
    const { gone } = asking;
    if (gone?.aborted) throw nobodyWaits();
    const shared = waiting.get(key) ?? share(key, asking, act);
    shared.askers += 1;
    return new Promise<T>((fulfil, reject) => {
      const leave = (): void => {
        shared.askers -= 1;
        if (shared.askers === 0) shared.giving.abort();
        reject(nobodyWaits());
      };
      gone?.addEventListener("abort", leave);
      shared.answer.then(fulfil, reject).finally(() => gone?.removeEventListener("abort", leave));
    });
  };
}
