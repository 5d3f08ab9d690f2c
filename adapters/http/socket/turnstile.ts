import { Failure } from "../../../domain/failure.ts";
import type { Pace } from "./pace.ts";

/** Lets large bodies through as fast as the storage takes them, and the others wait. */
export interface Turnstile {
  wait(visitor: Visitor): void;
}

/** A request that waits. */
export interface Visitor {
  /** Runs when it is the turn of this request. */
  enter(): void;
  /** Runs instead, when the request has waited too long or its client has left. */
  refuse(failure: Failure): void;
  /** Whether the client has left, so that the turn would be wasted. */
  hasLeft(): boolean;
}

// As long as a write waits for a lock. A client that is answered later would have given up.
const PATIENCE_MS = 3_000;
const MAX_WAITING = 1_000;
// There is no event for a storage that has room again.
const LOOK_AGAIN_MS = 5;

const overloaded = (): Failure =>
  new Failure("unavailable", "More arrives than can be stored; nothing was stored. Send it again.", {
    retryAfterSeconds: 1,
  });

/** A queue. The first request enters when `isOpen`, at the pace that all queues of long work share. */
export function createTurnstile(isOpen: () => boolean, pace: Pace): Turnstile {
  const waiting: { readonly since: number; readonly visitor: Visitor }[] = [];
  let isScheduled = false;

  /** Refuses those at the front that have left or waited too long. */
  function refuseFirst(): void {
    const latest = performance.now() - PATIENCE_MS;
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      if (first.since >= latest && !first.visitor.hasLeft()) return;
      waiting.shift();
      first.visitor.refuse(overloaded());
    }
  }

  function advance(): void {
    refuseFirst();
    while (waiting.length > 0 && pace.isFree() && isOpen()) {
      const first = waiting.shift();
      if (first !== undefined) pace.run(first.visitor.enter);
      refuseFirst();
    }
    if (waiting.length > 0 && !isScheduled) lookAgain();
  }

  function lookAgain(): void {
    isScheduled = true;
    setTimeout(() => {
      isScheduled = false;
      advance();
    }, LOOK_AGAIN_MS);
  }

  pace.onFree(advance);
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
