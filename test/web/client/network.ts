import { createAssignments } from "../../../web/client/assignments.ts";
import type { Answer, Post } from "../../../web/client/post.ts";
import { createQueue, type Item } from "../../../web/client/queue.ts";
import { createSender } from "../../../web/client/sender.ts";
import { createStore, type Disk } from "../../../web/client/store.ts";

export interface Sent {
  readonly path: string;
  readonly body: {
    readonly user_id?: string;
    readonly enrol?: boolean;
    readonly events?: readonly Item[];
    readonly metrics?: readonly Item[];
  };
}

/** An HTTP answer: its status, body and `Retry-After`. "silence" is a request without an answer. */
export type Wire = readonly [status: number, text: string, retryAfter?: string] | "silence";

export const STORED: Wire = [201, '{"success":true}'];

/** A refusal as the server writes it. */
export const refusal = (status: number, code: string, detail = "the reason"): Wire => [
  status,
  JSON.stringify({ type: "about:blank", title: "A title", status, detail, code, errors: [] }),
];

function answerIn(text: string): Answer {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** A network without a server: records the requests, and answers as the test says. */
export function fakeNetwork(answer: (sent: Sent, length: number) => Wire) {
  const sent: Sent[] = [];
  const post: Post = async (path, body) => {
    const one = { path, body: JSON.parse(body) };
    sent.push(one);
    const wire = answer(one, body.length);
    if (wire === "silence") return [{}, ""];
    const [status, text, retryAfter] = wire;
    const headers = new Headers(retryAfter === undefined ? [] : [["retry-after", retryAfter]]);
    return [answerIn(text), text, new Response(status === 204 ? null : text, { status, headers })];
  };
  return { sent, post };
}

/** A store that lasts as long as the test. */
export function memoryStore() {
  const disk: Disk = {};
  return createStore(() => disk);
}

/** A sender on a fake network, with a queue in memory. */
export function fakeSender(answer: (sent: Sent, length: number) => Wire, maxLength = 20_000) {
  const { sent, post } = fakeNetwork(answer);
  const refused: string[] = [];
  const queue = createQueue(memoryStore(), 10_000_000);
  const assignments = createAssignments("u1", memoryStore(), post);
  const sender = createSender(queue, post, () => assignments, {
    length: maxLength,
    lock: (act) => act(),
    report: (problem) => void refused.push(problem),
  });
  return { sent, refused, queue, sender };
}

/** Item number `n`, as it is queued. */
export const itemOf = (n: number, fields: Record<string, unknown> = {}): Item => ({
  message_id: `0190-${String(n).padStart(6, "0")}`,
  user_id: "u1",
  timestamp: n,
  ...fields,
});

/** Item number `n`, as it is sent. */
export const wireOf = (n: number, fields: Record<string, unknown> = {}) => ({
  ...itemOf(n, fields),
  timestamp: new Date(n).toISOString(),
});
