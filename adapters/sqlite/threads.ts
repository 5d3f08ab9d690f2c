import { Worker } from "node:worker_threads";
import { Failure, type FailureCode } from "../../domain/failure.ts";
import type { Ask } from "./answers.ts";

/** What a thread is told: to answer a question on these terms, or to plan how some more events are counted. */
export type Task =
  | {
      readonly kind: "report";
      readonly ask: Ask;
      readonly deadline: number;
      readonly limitMs: number;
      /** Its first number becomes 1 when nobody waits any more. */
      readonly gone: Int32Array;
    }
  | { readonly kind: "plan"; readonly most: number };

/** What it says: the answer, or a failure in its parts, for an object's class is lost on the way. */
export type Report =
  | { readonly kind: "answer"; readonly answer: unknown }
  | {
      readonly kind: "failure";
      readonly code: FailureCode;
      readonly detail: string;
      readonly retryAfterSeconds?: number | undefined;
    }
  | { readonly kind: "defect"; readonly error: unknown };

/** Threads that read the file on connections of their own, so that no report holds up those who write. */
export interface Threads {
  /** Rejects where too many wait already, and once it is closed. */
  run(task: Task): Promise<unknown>;
  close(): Promise<void>;
}

interface Job {
  readonly task: Task;
  readonly fulfil: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** What a thread is started with. */
export interface ThreadData {
  readonly file: string;
  /** How readily it leaves a busy processor to others, as the command nice has it. */
  readonly niceness: number;
}

/** What has to be done now and then while none of the threads reads. */
export interface Pause {
  isDue(): boolean;
  take(): void;
}

export interface ThreadOptions extends ThreadData {
  /** What each of them runs: thread.ts, built. */
  readonly script: URL;
  readonly threads: number;
  readonly pause?: Pause | undefined;
}

const MAX_WAITING = 64;

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

function settle({ fulfil, reject }: Job, report: Report): void {
  if (report.kind === "answer") fulfil(report.answer);
  else if (report.kind === "defect") reject(report.error);
  else reject(new Failure(report.code, report.detail, { retryAfterSeconds: report.retryAfterSeconds }));
}

/** They are started when they are first needed: an idle server has none. */
export function createThreads({ file, niceness, script, threads, pause }: ThreadOptions): Threads {
  const idle: Worker[] = [];
  const busy = new Map<Worker, Job>();
  const waiting: Job[] = [];
  let closed = false;

  function start(): Worker {
    const worker = new Worker(script, { workerData: { file, niceness } satisfies ThreadData });
    // A thread that nobody waits for must not keep a process alive that has ended otherwise.
    worker.unref();
    worker.on("message", (report: Report) => finish(worker, report));
    worker.on("error", (error) => lose(worker, error));
    worker.on("exit", () => lose(worker, new Error("a thread ended before its answer")));
    return worker;
  }

  function finish(worker: Worker, report: Report): void {
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

  /** False while others are to end first, so that nobody reads for a moment. */
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
