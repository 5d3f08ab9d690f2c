import type { Assignments } from "./assignments.ts";
import { backOff } from "./back-off.ts";
import { type Batch, batchesOf, bodyOf } from "./batch.ts";
import { isAnswer, type Post } from "./post.ts";
import type { Item, Queue } from "./queue.ts";
import { later } from "./timer.ts";

// Long enough for what happens together to go together.
const INTERVAL = 1_000;

type AssignmentsOf = (user_id: string) => Pick<Assignments, "find" | "learn">;

interface Ways {
  /** How many characters of items go into a batch, until a server finds it too large. */
  readonly maxLength: number;
  /** Lets one at a time send what all have queued. */
  readonly lock: (act: () => Promise<boolean>) => Promise<boolean>;
  /** Is told what will never be stored, and why. */
  readonly refused: (problem: string) => void;
}

const idsOf = ({ items }: Batch): string[] => items.map(({ message_id }) => message_id);

/** Sends what is queued, and takes from the queue only what the server has stored or has refused for good. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the sender's state and the steps that share it.
export function createSender(
  queue: Queue,
  post: Post,
  assignmentsOf: AssignmentsOf,
  { maxLength, lock, refused }: Ways,
) {
  let underWay: string[] = [];
  let failures = 0;
  let retryAfter: string | null | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<number> | undefined;

  function pathOf({ test, user_id }: Item): string | null | undefined {
    if (!test) return "events/batch";
    const assignment = assignmentsOf(user_id).find(test);
    return assignment?.variant && `ab-tests/${assignment.test_id}/track/batch`;
  }

  /** Finds out where the values for tests belong, and enrols who has not been; says whether the server answered. */
  async function settle(items: readonly Item[]): Promise<boolean> {
    // One after the other: a backend may have values of thousands of users.
    for (const item of items) {
      const { test, user_id } = item;
      const assignments = assignmentsOf(user_id);
      if (test && !assignments.find(test) && !(await assignments.learn(test))) return false;
      if (pathOf(item)) continue;
      queue.remove([item]);
      refused(`No A/B test ${test} has this user.`);
    }
    return true;
  }

  /** Sends one batch, in halves where it is too large, and says whether to go on with the next. */
  async function deliver(batch: Batch): Promise<boolean> {
    underWay = idsOf(batch);
    const [status, text, asked] = await post(batch.path, bodyOf(batch));
    underWay = [];
    retryAfter = asked;
    // The server says 201 or 207; 200 is somebody on the way who answers everything with a page.
    if (!isAnswer(status) || status === 200) return false;
    if (status === 413 && batch.items.length > 1) {
      maxLength = batch.length / 2;
      return deliverAll(batch.items);
    }
    queue.remove(batch.items);
    if (status !== 201) refused(text);
    return true;
  }

  async function deliverAll(items: readonly Item[]): Promise<boolean> {
    for (const batch of batchesOf(items, pathOf, maxLength)) {
      if (!(await deliver(batch))) return false;
    }
    return true;
  }

  async function drain(): Promise<boolean> {
    retryAfter = null;
    for (;;) {
      const items = queue.items();
      if (items.length === 0) return true;
      const settled = await settle(items);
      if (!(await deliverAll(items)) || !settled) return false;
    }
  }

  function wake(milliseconds?: number): void {
    timer ??= later(flush, milliseconds || INTERVAL);
  }

  function rest(done: boolean): number {
    failures = done ? 0 : failures + 1;
    const wait = backOff(failures, retryAfter);
    clearTimeout(timer);
    timer = running = undefined;
    // Also after success: something may have come in just then.
    if (queue.items().length > 0) wake(wait);
    return wait;
  }

  /** Sends all there is. When it cannot, it says how long it will wait before it tries again, else 0. */
  function flush(): Promise<number> {
    running ??= lock(drain)
      .catch(() => false)
      .then(rest);
    return running;
  }

  return {
    flush,

    /** Queues an item, to be sent soon. */
    add(item: Item): void {
      try {
        queue.add(item);
        wake();
      } catch (error) {
        // It cannot be written as JSON, and the error says why.
        refused(String(error));
      }
    },

    /**
     * Hands over what still waits to somebody who sends it when we are gone, as much as they take. Nobody will say what
     * became of it: it stays in the queue, and is sent again, which its message ids make harmless.
     */
    leave(beacon: (path: string, body: string) => boolean): void {
      const waiting = queue.items().filter(({ message_id }) => !underWay.includes(message_id));
      for (const batch of batchesOf(waiting, pathOf, maxLength)) {
        if (beacon(batch.path, bodyOf(batch))) underWay.push(...idsOf(batch));
      }
    },
  };
}
