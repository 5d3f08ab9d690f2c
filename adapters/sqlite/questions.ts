import type { Database } from "better-sqlite3";
import type { Answered, Asking } from "../../domain/reports/answer.ts";
import type { EventQuestions } from "../../domain/storage.ts";
import type { Instant } from "../../domain/time.ts";
import { type Ask, createAnswers, type Kind, type Questions } from "./answers.ts";
import type { Counting } from "./counting.ts";
import { reading } from "./failures.ts";
import { patienceOf } from "./patience.ts";
import type { Threads } from "./threads.ts";

/** Answers a question by then, wherever that is done. */
export type Answer = <K extends Kind>(
  ask: Ask<K>,
  asking: Asking,
  deadline: Instant,
) => Promise<Answered<Questions[K]["value"]>>;

/** On this connection, holding up everybody else meanwhile. */
export function answerHere(db: Database, limitMs: number): Answer {
  const answer = createAnswers(db);
  return (ask, { gone }, deadline) =>
    reading(() =>
      answer(
        ask,
        patienceOf(deadline, limitMs, () => gone?.aborted ?? false),
      ),
    );
}

/** On threads, holding up nobody. */
export function answerOn(threads: Threads, limitMs: number): Answer {
  return async <K extends Kind>(ask: Ask<K>, { gone: signal }: Asking, deadline: Instant) => {
    const gone = new Int32Array(new SharedArrayBuffer(4));
    const giveUp = (): void => void Atomics.store(gone, 0, 1);
    if (signal?.aborted) giveUp();
    signal?.addEventListener("abort", giveUp, { once: true });
    const answering = threads.run({ kind: "report", ask: ask as unknown as Ask, deadline, limitMs, gone });
    return (await answering.finally(() => signal?.removeEventListener("abort", giveUp))) as Answered<
      Questions[K]["value"]
    >;
  };
}

// Where events came faster than they were counted, a question waits so much of its time for that; then the events
// themselves answer it, which for a list or a short time is soon done.
const SHARE_OF_COUNTING = 0.5;

export function createQuestions(counting: Counting, answer: Answer, limitMs: number): EventQuestions {
  const asked =
    <K extends Kind>(kind: K) =>
    async (question: Questions[K]["question"], asking: Asking = {}) => {
      const startedAt = Date.now();
      const stale = !(await counting.catchUp(startedAt + SHARE_OF_COUNTING * limitMs));
      return answer<K>(
        { kind, question, verify: asking.verify ?? false, stale },
        asking,
        startedAt + limitMs,
      );
    };

  const listed = asked("listEvents");
  const types = asked("eventTypes");
  return {
    listEvents: async (page, asking) => (await listed(page, asking)).value,
    eventTypes: (asking) => types(null, asking),
    trend: asked("trend"),
    funnel: asked("funnel"),
    retention: asked("retention"),
  };
}
