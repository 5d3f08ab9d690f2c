import type { Assignments } from "./assignments.ts";
import { backOff } from "./back-off.ts";
import { type Batch, batchesOf, bodyOf } from "./batch.ts";
import { later } from "./later.ts";
import { isFinal, type Post } from "./post.ts";
import type { Item, NewItem, Queue } from "./queue.ts";
import type { Report } from "./reports.ts";

// Long enough to send in one request what happens together.
const INTERVAL = 1_000;

export type AssignmentsOf = (user_id: string) => Pick<Assignments, "find" | "enrol">;

interface Ways {
  /** Characters of items in a batch, at most; fewer once a batch was too large. */
  readonly length: number;
  /** Runs one sender at a time, of all that share the queue. */
  readonly lock: (act: () => Promise<boolean>) => Promise<boolean>;
  /** Is told of items that will never be stored. */
  readonly report: Report;
}

/** Sends what is queued, and removes only what the server has stored or has refused for good. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: short closures over one state; a split costs each page bytes.
export function createSender(
  queue: Queue,
  post: Post,
  assignmentsOf: AssignmentsOf,
  { length: maxLength, lock, report }: Ways,
) {
  // The bodies of requests that may still arrive: they contain the ids of their items.
  let inFlight = "";
  let failures = 0;
  // Whether an item has to wait that does not hold up the others.
  let blocked = false;
  let retryAfter: string | null | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<number> | undefined;

  /** The endpoint for an item; none for a value whose user is not enrolled. */
  function pathOf({ test, user_id }: Item): string | null | undefined {
    if (!test) return "events/batch";
    const assignment = assignmentsOf(user_id).find(test);
    return assignment?.variant && `ab-tests/${assignment.test_id}/track/batch`;
  }

  /** Enrols the users of values who are not enrolled yet, and says whether the server answered. */
  async function settle(items: readonly Item[]): Promise<boolean> {
    // One at a time: a backend may have queued values of thousands of users.
    for (const item of items) {
      const { test, user_id } = item;
      const { find, enrol } = assignmentsOf(user_id);
      if (test && !find(test) && !(await enrol(test))) return false;
      if (pathOf(item)) continue;
      queue.remove([item]);
      report(`no test ${test}`);
    }
    return true;
  }

  /** Sends one batch, in halves where it is too large, and says whether to go on with the next. */
  async function deliver(batch: Batch): Promise<boolean> {
    inFlight = bodyOf(batch);
    const [answer, text, response] = await post(batch.path, inFlight);
    inFlight = "";
    const status = response?.status;
    retryAfter = response?.headers.get("retry-after");
    if (status === 413 && batch.items.length > 1) {
      maxLength = batch.length / 2;
      return deliverAll(batch.items);
    }
    if (answer.success || isFinal(answer)) {
      queue.remove(batch.items);
      if (status !== 201) report(text, status);
      return true;
    }
    // A proxy with a lower limit than the server's keeps this item back: the others go on.
    blocked = status === 413;
    return blocked;
  }

  async function deliverAll(items: readonly Item[]): Promise<boolean> {
    for (const batch of batchesOf(items, pathOf, maxLength)) {
      if (!(await deliver(batch))) return false;
    }
    return true;
  }

  /** Sends until the queue is empty, and says whether it is. */
  async function drain(): Promise<boolean> {
    retryAfter = null;
    for (;;) {
      const items = queue.items();
      if (!items.length) return true;
      blocked = !(await settle(items));
      if (!(await deliverAll(items)) || blocked) return false;
    }
  }

  function wake(milliseconds?: number): void {
    timer ??= later(flush, milliseconds || INTERVAL);
  }

  function rest(done: boolean): number {
    failures = done ? 0 : failures + 1;
    clearTimeout(timer);
    const wait = backOff(failures, retryAfter);
    timer = running = undefined;
    // Also after success: an item may have been added since.
    if (queue.items().length) wake(wait);
    return wait;
  }

  /** Sends all that is queued. Returns 0 once the queue is empty, else the milliseconds until the next attempt. */
  function flush(): Promise<number> {
    running ??= lock(drain)
      .catch(() => false)
      .then(rest);
    return running;
  }

  return {
    flush,

    /** Queues an item, to be sent soon; refuses one that the server would never store. */
    add(item: NewItem): void {
      try {
        queue.add(item);
        wake();
      } catch (error) {
        report(`${error}`);
      }
    },

    /**
     * Hands what still waits to a beacon, which outlives the page, as much as the beacon takes. A beacon returns no answer,
     * so the items stay in the queue and are sent again: their message ids make that harmless.
     */
    leave(beacon: (path: string, body: string) => boolean): void {
      const waiting = queue.items().filter(({ message_id }) => !inFlight.includes(message_id));
      for (const batch of batchesOf(waiting, pathOf, maxLength)) {
        const body = bodyOf(batch);
        if (beacon(batch.path, body)) inFlight += body;
      }
    },
  };
}

export type Sender = ReturnType<typeof createSender>;
