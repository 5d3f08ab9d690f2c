import type { Database } from "better-sqlite3";
import type { Answered, Asking } from "../../domain/analytics/answer.ts";
import type { EventQuestions } from "../../domain/storage.ts";
import { type Ask, createAnswers, type Kind, type Questions } from "./answers.ts";
import type { Counting } from "./counting.ts";
import { reading } from "./failures.ts";
import { patienceOf } from "./patience.ts";
import type { Threads } from "./threads.ts";

/** Answers a question, wherever that is done. */
export type Answer = <K extends Kind>(
  ask: Ask<K>,
  asking: Asking,
) => Promise<Answered<Questions[K]["value"]>>;

/** On this connection, holding up everybody else meanwhile. */
export function answerHere(db: Database, limitMs: number): Answer {
  const answer = createAnswers(db);
  return (ask, { gone }) =>
    reading(() =>
      answer(
        ask,
        patienceOf(Date.now() + limitMs, limitMs, () => gone?.aborted ?? false),
      ),
    );
}

/** On threads, holding up nobody. */
export function answerOn(threads: Threads, limitMs: number): Answer {
  return async <K extends Kind>(ask: Ask<K>, { gone: signal }: Asking) => {
    const gone = new Int32Array(new SharedArrayBuffer(4));
    const giveUp = (): void => void Atomics.store(gone, 0, 1);
    if (signal?.aborted) giveUp();
    signal?.addEventListener("abort", giveUp, { once: true });
    const deadline = Date.now() + limitMs;
    const answering = threads.run({ kind: "report", ask: ask as unknown as Ask, deadline, limitMs, gone });
    return (await answering.finally(() => signal?.removeEventListener("abort", giveUp))) as Answered<
      Questions[K]["value"]
    >;
  };
}

export function createQuestions(counting: Counting, answer: Answer): EventQuestions {
  const asked =
    <K extends Kind>(kind: K) =>
    async (question: Questions[K]["question"], asking: Asking = {}) => {
      const stale = !(await counting.catchUp());
      return answer<K>({ kind, question, verify: asking.verify ?? false, stale }, asking);
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
