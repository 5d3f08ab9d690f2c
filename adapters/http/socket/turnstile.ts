import { Failure } from "../../../domain/failure.ts";

/** Lets large bodies through as fast as the storage takes them, and the others wait. */
export interface Turnstile {
  wait(visitor: Visitor): void;
}

export interface Visitor {
  /** Runs when it is this one's turn. */
  enter(): void;
  /** Runs instead, when it has waited too long or has left. */
  refuse(failure: Failure): void;
  /** Whether its client has left, so that its turn would be wasted. */
  hasLeft(): boolean;
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
  const waiting: { readonly since: number; readonly visitor: Visitor }[] = [];
  let enteredThisTurn = false;
  let isScheduled = false;

  function enterNext(): void {
    enteredThisTurn = true;
    setImmediate(() => {
      enteredThisTurn = false;
      advance();
    });
    waiting.shift()?.visitor.enter();
  }

  /** Those at the front that have left or waited too long. */
  function refuseFirst(): void {
    const latest = performance.now() - PATIENCE_MS;
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      if (first.since >= latest && !first.visitor.hasLeft()) return;
      waiting.shift();
      first.visitor.refuse(overloaded());
    }
  }

  function advance(): void {
    if (waiting.length === 0) return;
    refuseFirst();
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
    wait(visitor) {
      if (waiting.length >= MAX_WAITING) {
        visitor.refuse(overloaded());
        return;
      }
      waiting.push({ since: performance.now(), visitor });
      advance();
    },
  };
}
