import { createAssignments } from "../../../web/client/assignments.ts";
import type { Post, Reply } from "../../../web/client/post.ts";
import { createQueue, type Item } from "../../../web/client/queue.ts";
import { createSender } from "../../../web/client/sender.ts";
import { createStore } from "../../../web/client/store.ts";

export interface Sent {
  readonly path: string;
  readonly body: {
    readonly user_id?: string;
    readonly events?: readonly Item[];
    readonly metrics?: readonly Item[];
  };
}

export const SILENCE: Reply = [599, "", null];
export const STORED: Reply = [201, "{}", null];

/** A network without a server: what was posted, and whatever answers it. */
export function fakeNetwork(answer: (sent: Sent, length: number) => Reply) {
  const sent: Sent[] = [];
  const post: Post = async (path, text) => {
    const one = { path, body: JSON.parse(text) };
    sent.push(one);
    return answer(one, text.length);
  };
  return { sent, post };
}

/** A sender on such a network, with a queue in memory. */
export function fakeSender(answer: (sent: Sent, length: number) => Reply, maxLength = 20_000) {
  const { sent, post } = fakeNetwork(answer);
  const refused: string[] = [];
  const queue = createQueue(createStore(), 10_000_000);
  const assignments = createAssignments("u1", createStore(), post);
  const sender = createSender(queue, post, () => assignments, {
    maxLength,
    lock: (act) => act(),
    refused: (problem) => void refused.push(problem),
  });
  return { sent, refused, queue, sender };
}

/** Item number `n`, as the client makes it. */
export const itemOf = (n: number, fields: Record<string, unknown> = {}): Item => ({
  message_id: `0190-${String(n).padStart(6, "0")}`,
  user_id: "u1",
  timestamp: n,
  ...fields,
});
