import { Worker } from "node:worker_threads";
import { Failure, type FailureCode } from "../../../domain/failure.ts";
import type { EventPage } from "../../../domain/reports/event-list.ts";
import type { FunnelQuestion } from "../../../domain/reports/funnel.ts";
import type { RetentionQuestion } from "../../../domain/reports/retention.ts";
import type { TrendQuestion } from "../../../domain/reports/trend.ts";
import type { FactsQuestion } from "../../../domain/reports/user-facts.ts";
import type { Terms } from "../../rollups/questions/answers.ts";
import { asFailure } from "../failures.ts";
import type { RemovalPlanner, RemovalTask } from "../people/removal-planner.ts";
import type { Answerer, Limits, TimeLimit } from "./questions.ts";

/** Limits as another thread can observe them. */
interface SharedLimits extends TimeLimit {
  /** Its first number becomes 1 when the client has left. */
  readonly gone: Int32Array;
}

interface Report {
  readonly terms: Terms;
  readonly limits: SharedLimits;
}

/** A message to a thread: answer a question, or do a part of the work of the rollups, removals and log. */
export type Task =
  | ({ readonly kind: "listEvents"; readonly question: EventPage } & Report)
  | ({ readonly kind: "eventTypes" } & Report)
  | ({ readonly kind: "trend"; readonly question: TrendQuestion } & Report)
  | ({ readonly kind: "funnel"; readonly question: FunnelQuestion } & Report)
  | ({ readonly kind: "retention"; readonly question: RetentionQuestion } & Report)
  | ({ readonly kind: "userFacts"; readonly question: FactsQuestion } & Report)
  | { readonly kind: "plan"; readonly most: number }
  | { readonly kind: "checkpoint" }
  | RemovalTask;

/** A message from a thread. A failure is sent in its parts, since an object's class does not survive the message. */
export type Outcome =
  | { readonly kind: "answer"; readonly answer: unknown }
  | {
      readonly kind: "failure";
      readonly code: FailureCode;
      readonly detail: string;
      readonly retryAfterSeconds?: number | undefined;
    }
  | { readonly kind: "defect"; readonly error: unknown };

/** Threads that read the file on connections of their own, so that no report holds up writes. */
export interface Threads {
  /** The answer to a task. Its type follows from the kind of the task. Rejects when the queue is full, when the file cannot be read, and after `close`. */
  run<Answer>(task: Task): Promise<Answer>;
  close(): Promise<void>;
}

// The answer has crossed a thread's border, where its type ends; the task's kind says what it is.
// biome-ignore lint/suspicious/noExplicitAny: as for every message of a worker
type Fulfil = (answer: any) => void;

interface Job {
  readonly task: Task;
  readonly fulfil: Fulfil;
  readonly reject: (error: unknown) => void;
}

/** The data that a thread is started with. */
export interface ThreadData {
  readonly file: string;
  /** Scheduling priority, as of the command `nice`: higher gives way to others. */
  readonly niceness: number;
}

/** Maintenance that needs a moment in which no thread reads. */
export interface Pause {
  isDue(): boolean;
  take(): void;
}

export interface ThreadOptions extends ThreadData {
  /** The program of each thread: thread.ts, built. */
  readonly script: URL;
  readonly threads: number;
  readonly pause?: Pause | undefined;
  /** Throws while the file at the path is not the one that this process writes to: a new connection would read another. */
  readonly guard?: (() => void) | undefined;
}

const MAX_WAITING = 64;
// Each thread has a heap of its own. By default it keeps up to 48 MB for new objects, also while it is idle.
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 8 };

const tooMany = (): Failure =>
  new Failure("unavailable", "Too many reports are waiting already. Ask again in a moment.", {
    retryAfterSeconds: 5,
  });

const stopping = (): Failure =>
  new Failure("unavailable", "The server is stopping. Ask again in a moment.", { retryAfterSeconds: 5 });

const noThread = (cause: unknown): Failure =>
  new Failure("unavailable", "The machine has no room for another thread. Ask again in a moment.", {
    retryAfterSeconds: 5,
    cause,
  });

function settle({ fulfil, reject }: Job, report: Outcome): void {
  if (report.kind === "answer") fulfil(report.answer);
  else if (report.kind === "defect") reject(report.error);
  else reject(new Failure(report.code, report.detail, { retryAfterSeconds: report.retryAfterSeconds }));
}

/** Threads are started when they are first needed: an idle server has none. */
export function createThreads({
  file,
  niceness,
  script,
  threads,
  pause,
  guard = () => {},
}: ThreadOptions): Threads {
  const idle: Worker[] = [];
  const busy = new Map<Worker, Job>();
  const waiting: Job[] = [];
  let closed = false;

  function start(): Worker {
    const workerData: ThreadData = { file, niceness };
    const worker = new Worker(script, { workerData, resourceLimits: RESOURCE_LIMITS });
    // An idle thread must not keep the process alive.
    worker.unref();
    worker.on("message", (report: Outcome) => finish(worker, report));
    worker.on("error", (error) => lose(worker, error));
    worker.on("exit", () => lose(worker, new Error("a thread ended before its answer")));
    return worker;
  }

  function finish(worker: Worker, report: Outcome): void {
    const job = busy.get(worker);
    busy.delete(worker);
    idle.push(worker);
    if (job !== undefined) settle(job, report);
    next();
  }

  function lose(worker: Worker, error: unknown): void {
    const at = idle.indexOf(worker);
    if (at >= 0) idle.splice(at, 1);
    busy.get(worker)?.reject(error);
    busy.delete(worker);
    next();
  }

  /** False while the running tasks have to end first, for a pause. */
  function mayBegin(): boolean {
    if (idle.length === 0 && busy.size >= threads) return false;
    if (pause?.isDue() !== true) return true;
    if (busy.size > 0) return false;
    pause.take();
    return true;
  }

  function next(): void {
    if (waiting.length === 0 || !mayBegin()) return;
    const job = waiting.shift();
    if (job === undefined) return;
    give(job);
    next();
  }

  function give(job: Job): void {
    let worker: Worker;
    try {
      worker = idle.pop() ?? start();
    } catch (error) {
      job.reject(noThread(error));
      return;
    }
    busy.set(worker, job);
    worker.postMessage(job.task);
  }

  return {
    run(task) {
      if (closed) return Promise.reject(stopping());
      if (waiting.length >= MAX_WAITING) return Promise.reject(tooMany());
      try {
        guard();
      } catch (error) {
        return Promise.reject(asFailure(error, "read"));
      }
      return new Promise((fulfil, reject) => {
        waiting.push({ task, fulfil, reject });
        next();
      });
    },

    async close() {
      closed = true;
      for (const job of waiting.splice(0)) job.reject(stopping());
      for (const job of busy.values()) job.reject(stopping());
      await Promise.all([...idle, ...busy.keys()].map((worker) => worker.terminate()));
    },
  };
}

/** Answers questions on threads. */
export function answerOn(threads: Threads): Answerer {
  async function ask<Answer>(limits: Limits, taskOf: (limits: SharedLimits) => Task): Promise<Answer> {
    const { signal, ...limit } = limits;
    const gone = new Int32Array(new SharedArrayBuffer(4));
    const giveUp = (): void => void Atomics.store(gone, 0, 1);
    if (signal?.aborted) giveUp();
    signal?.addEventListener("abort", giveUp, { once: true });
    const answering = threads.run<Answer>(taskOf({ ...limit, gone }));
    return answering.finally(() => signal?.removeEventListener("abort", giveUp));
  }
  return {
    listEvents: (question, terms, given) =>
      ask(given, (limits) => ({ kind: "listEvents", question, terms, limits })),
    eventTypes: (terms, given) => ask(given, (limits) => ({ kind: "eventTypes", terms, limits })),
    trend: (question, terms, given) => ask(given, (limits) => ({ kind: "trend", question, terms, limits })),
    funnel: (question, terms, given) => ask(given, (limits) => ({ kind: "funnel", question, terms, limits })),
    retention: (question, terms, given) =>
      ask(given, (limits) => ({ kind: "retention", question, terms, limits })),
    userFacts: (question, terms, given) =>
      ask(given, (limits) => ({ kind: "userFacts", question, terms, limits })),
  };
}

/** Plans removals on a thread. */
export const planOn = ({ run }: Threads): RemovalPlanner => ({
  hoursOf: (...values) => run({ kind: "hoursOf", values }),
  ofUser: (...values) => run({ kind: "ofUser", values }),
  ofExpired: (...values) => run({ kind: "ofExpired", values }),
  unusedValues: (...values) => run({ kind: "unusedValues", values }),
  unusedUsers: (...values) => run({ kind: "unusedUsers", values }),
});
