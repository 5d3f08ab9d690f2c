import { openPostgres } from "../../adapters/postgres/storage.ts";
import { messageKey } from "../../domain/events/message-id.ts";
import { Failure } from "../../domain/failure.ts";

/** The task of one process. */
export interface Task {
  readonly worker: number;
  readonly test_id: number;
  readonly variants: readonly [number, number];
  readonly users: number;
  readonly assigns: number;
  readonly tracks: number;
  readonly events: number;
}

/** A message from a process to the test. */
export type Report =
  | { readonly kind: "ready" }
  | { readonly kind: "progress"; readonly acts: number }
  | {
      readonly kind: "done";
      /** The variant of each user, as returned to this process. */
      readonly variants: Readonly<Record<string, number>>;
      readonly contradictions: number;
      readonly storedEvents: number;
      readonly duplicateEvents: number;
      readonly storedValues: number;
      readonly duplicateValues: number;
      readonly refused: number;
    };

const CONCURRENCY = 16;
const EVENTS_PER_BATCH = 100;
const AT = Date.parse("2026-11-22T10:00:00.000Z");

const storage = await openPostgres(process.argv[2] ?? "", { connections: 4 });
const send = (report: Report): void => void process.send?.(report);

let refused = 0;

/** Repeats a call while the storage is unavailable, as a client does. */
async function retrying<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "unavailable") throw error;
      refused += 1;
    }
  }
}

async function concurrently(count: number, act: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) {
      const n = next;
      next += 1;
      await act(n);
      if (n % 50 === 49) send({ kind: "progress", acts: 50 });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, client));
}

async function work({ worker, test_id, variants, users, assigns, tracks, events }: Task): Promise<void> {
  const answered: Record<string, number> = {};
  let contradictions = 0;
  await concurrently(assigns, async (n) => {
    // Processes assign the same users, and ask for different variants.
    const user_id = `user-${(n * 7 + worker) % users}`;
    const variant_id = variants[(n + worker) % 2] ?? 0;
    const [won] = await retrying(() => storage.assign(test_id, [{ user_id, variant_id, assigned_at: AT }]));
    if (answered[user_id] !== undefined && answered[user_id] !== won.variant_id) contradictions += 1;
    answered[user_id] = won.variant_id;
  });

  let storedValues = 0;
  let duplicateValues = 0;
  const assigned = Object.keys(answered);
  await concurrently(tracks, async (n) => {
    const metric = {
      user_id: assigned[(n * 13) % assigned.length] ?? "",
      metric_name: "revenue",
      value: (n % 10) / 10,
      created_at: AT,
      occurred_at: AT + (n % 3) * 86_400_000,
      // One third of the values has no key, one third has a unique key, and one third shares its key with another
      // process.
      message_key:
        [null, messageKey(`${worker} ${n}`), messageKey(`${worker >> 1} of two ${n}`)][n % 3] ?? null,
    };
    const [one] = await retrying(() => storage.appendMetrics(test_id, [metric]));
    if (one.kind !== "stored") throw new Error(`${metric.user_id} is not assigned`);
    if (one.duplicate) duplicateValues += 1;
    else storedValues += 1;
  });

  let storedEvents = 0;
  let duplicateEvents = 0;
  await concurrently(events / EVENTS_PER_BATCH, async (n) => {
    const batch = Array.from({ length: EVENTS_PER_BATCH }, (_, index) => ({
      event_type: "click",
      user_id: `user-${index % users}`,
      session_id: null,
      properties: '{"page":"/home"}',
      created_at: AT,
      occurred_at: AT,
      // Every third batch repeats the previous one, often concurrently.
      message_key: messageKey(n % 3 === 2 ? `${worker} ${n - 1} ${index}` : `${worker} ${n} ${index}`),
    }));
    for (const { duplicate } of await retrying(() => storage.appendEvents(batch))) {
      if (duplicate) duplicateEvents += 1;
      else storedEvents += 1;
    }
  });
  await storage.close();
  send({
    kind: "done",
    variants: answered,
    contradictions,
    storedEvents,
    duplicateEvents,
    storedValues,
    duplicateValues,
    refused,
  });
}

process.once("message", async (task: Task) => {
  await work(task);
  process.disconnect();
});
send({ kind: "ready" });
