import { createAnalytics } from "./analytics.ts";
import { type Assignments, createAssignments } from "./assignments.ts";
import type { NodeClient, NodeOptions } from "./declarations/node.d.ts";
import { later } from "./later.ts";
import { idOf } from "./limits.ts";
import { createMemoryQueue } from "./memory-queue.ts";
import { addresses, createPost, isFinal } from "./post.ts";
import { createRecent } from "./recent.ts";
import { createReport } from "./reports.ts";
import { createSender } from "./sender.ts";
import { SILENCE } from "./silence.ts";
import { createStore, type Disk } from "./store.ts";

declare const process: { once(event: "beforeExit", act: () => void): void };

/** In place of localStorage. */
function memory(): () => Disk {
  const disk: Disk = {};
  return () => disk;
}

const MAX_QUEUE = 100_000_000;
const MAX_BATCH = 1_000_000;
const MAX_USERS = 10_000;

/** Creates a client for a backend. It keeps in memory what it has not sent. */
export function createClient({
  url,
  key,
  timeout,
  onRefused: report = createReport(),
  ...unknown
}: NodeOptions): NodeClient {
  for (const name in unknown) report(`no option ${name}`);
  const addressOf = addresses(url, key);
  if (!addressOf) {
    report(`no url ${url}`);
    return { forUser: () => SILENCE, alias: async () => false, flush: async () => false };
  }
  const post = createPost(addressOf);
  const users = createRecent<Assignments>(MAX_USERS);

  /** The variants of recent users. */
  function assignmentsOf(user_id: string): Assignments {
    const assignments =
      users.get(user_id) ?? createAssignments(user_id, createStore(memory()), post, timeout);
    users.set(user_id, assignments);
    return assignments;
  }

  const sender = createSender(createMemoryQueue(MAX_QUEUE), post, assignmentsOf, {
    length: MAX_BATCH,
    lock: (act) => act(),
    report,
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

    async alias(anonymous, id) {
      const [anonymous_id, user_id] = [idOf(anonymous), idOf(id)];
      if (!anonymous_id || !user_id) {
        report("no anonymous_id and user_id of 1 to 200 characters");
        return false;
      }
      const [answer, text, response] = await post("users/alias", JSON.stringify({ anonymous_id, user_id }));
      if (isFinal(answer)) report(text, response?.status);
      return !!answer.success;
    },

    forUser(user_id, session_id) {
      const user = idOf(user_id);
      const session = idOf(session_id);
      if (!session && session_id != null) report("no session_id of 1 to 200 characters");
      if (user) return createAnalytics(user, () => session, assignmentsOf(user), sender.add);
      report("no user_id of 1 to 200 characters");
      return SILENCE;
    },
  };
}
