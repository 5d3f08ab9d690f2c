/**
 * A computation that runs in steps, so that one implementation serves an embedded and a remote database. It yields a
 * promise where it waits for rows, and nothing at a point where it may be interrupted.
 */
export type Work<T> = Generator<Promise<unknown> | undefined, T, undefined>;

/** Work that waits for rows of a remote database. */
export function* waitFor<T>(promise: Promise<T>): Work<T> {
  const slot: { settled?: { readonly value: T } } = {};
  yield promise.then((value) => {
    slot.settled = { value };
  });
  if (slot.settled === undefined) throw new Error("the work was resumed before its promise was fulfilled");
  return slot.settled.value;
}

/** Begins work, up to where it first waits: a remote database can answer it while something else is done. */
export function begun<T>(work: Work<T>): Work<T> {
  const step = work.next();
  // The rest of the work may never be run, which is no fault of its own.
  if (!step.done) step.value?.catch(() => {});
  return (function* rest() {
    if (step.done) return step.value;
    yield step.value;
    return yield* work;
  })();
}

/** Runs work over an embedded database to its end. `atPause` is called at each point of interruption and may throw. */
export function runNow<T>(work: Work<T>, atPause: () => void = () => {}): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    if (step.value !== undefined) throw new Error("an embedded database must answer at once");
    atPause();
  }
}

/** Runs work over a remote database to its end. */
export async function run<T>(work: Work<T>, atPause: () => Promise<void> | undefined): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    await step.value;
    await atPause();
  }
}
