import { createAnalytics } from "./analytics.ts";
import { type Assignments, createAssignments } from "./assignments.ts";
import type { NodeClient, NodeOptions } from "./declarations/node.d.ts";
import { createMemoryQueue } from "./memory-queue.ts";
import { addresses, createPost } from "./post.ts";
import { createSender } from "./sender.ts";
import { createStore } from "./store.ts";
import { later } from "./timer.ts";

declare const process: { once(event: "beforeExit", act: () => void): void };

const MAX_QUEUE = 100_000_000;
const MAX_BATCH = 1_000_000;
const MAX_USERS = 10_000;

/** Starts a client for a backend. What it has not sent it keeps in memory. */
export function createClient({ url, key, timeout, onRefused: refused = () => {} }: NodeOptions): NodeClient {
  const post = createPost(addresses(url, key));
  const users = new Map<string, Assignments>();

  /** So many users' variants are remembered; who has not been asked about for longest is forgotten first. */
  function assignmentsOf(user_id: string): Assignments {
    const assignments = users.get(user_id) ?? createAssignments(user_id, createStore(), post, timeout);
    users.delete(user_id);
    users.set(user_id, assignments);
    const [oldest] = users.keys();
    if (users.size > MAX_USERS && oldest !== undefined) users.delete(oldest);
    return assignments;
  }

  const sender = createSender(createMemoryQueue(MAX_QUEUE), post, assignmentsOf, {
    maxLength: MAX_BATCH,
    lock: (act) => act(),
    refused,
  });

  async function flush(milliseconds = 5_000): Promise<boolean> {
    const until = Date.now() + milliseconds;
    const end = new Promise<void>((resolve) => later(resolve, milliseconds));
    for (;;) {
      const wait = await Promise.race([sender.flush(), end]);
      if (wait === 0) return true;
      if (wait === undefined || Date.now() + wait > until) return false;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  process.once("beforeExit", () => void flush());

  return {
    flush,
    forUser: (user_id, session_id) =>
      createAnalytics(user_id, () => session_id, assignmentsOf(user_id), sender.add),
  };
}
