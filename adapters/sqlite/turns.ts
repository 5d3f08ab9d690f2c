/** Runs an act in a turn of the event loop of its own. */
export type InTurn = <T>(act: () => T) => Promise<T>;

/**
 * Runs long reads one in each turn of the event loop, in the order of their calls, so that other requests are served
 * between them. Without it, fifty requests that arrive together would do all their reading in one turn.
 */
export function createTurns(): InTurn {
  let last: Promise<void> = Promise.resolve();
  return async (act) => {
    last = last.then(() => new Promise<void>((resolve) => setImmediate(resolve)));
    await last;
    return act();
  };
}
