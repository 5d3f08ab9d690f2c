import { Failure } from "../../../domain/failure.ts";

/** Lets large bodies through as fast as the storage takes them, and the others wait. */
export interface Turnstile {
  /** Runs `enter` when it is the turn of this one, or `refuse` when it has waited too long. */
  wait(enter: () => void, refuse: (failure: Failure) => void): void;
}

interface Waiting {
  readonly since: number;
  readonly enter: () => void;
  readonly refuse: (failure: Failure) => void;
}

// As long as a write waits for a lock. A client that is answered later would have given up.
const PATIENCE_MS = 3_000;
const MAX_WAITING = 1_000;
// While the storage is full nothing here tells when it has room again.
const LOOK_AGAIN_MS = 5;

const overloaded = (): Failure =>
  new Failure("unavailable", "More arrives than can be stored; nothing was stored. Send it again.", {
    retryAfterSeconds: 1,
  });

/**
 * A queue whose first enters when `isOpen`, at most one in each turn of the event loop: to parse a large body takes
 * milliseconds, and in between others have their turn.
 */
export function createTurnstile(isOpen: () => boolean): Turnstile {
  const waiting: Waiting[] = [];
  let enteredThisTurn = false;
  let isScheduled = false;

  function enterNext(): void {
    enteredThisTurn = true;
    setImmediate(() => {
      enteredThisTurn = false;
      advance();
    });
    waiting.shift()?.enter();
  }

  function refuseImpatient(): void {
    const latest = performance.now() - PATIENCE_MS;
    while ((waiting[0]?.since ?? latest) < latest) waiting.shift()?.refuse(overloaded());
  }

  function advance(): void {
    if (waiting.length === 0) return;
    refuseImpatient();
    if (waiting.length > 0 && !enteredThisTurn && isOpen()) enterNext();
    if (waiting.length > 0 && !isScheduled) lookAgain();
  }

  function lookAgain(): void {
    isScheduled = true;
    setTimeout(() => {
      isScheduled = false;
      advance();
    }, LOOK_AGAIN_MS);
  }

  return {
    wait(enter, refuse) {
      if (waiting.length >= MAX_WAITING) {
        refuse(overloaded());
        return;
      }
      waiting.push({ since: performance.now(), enter, refuse });
      advance();
    },
  };
}
