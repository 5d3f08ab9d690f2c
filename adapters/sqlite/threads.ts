import { Worker } from "node:worker_threads";
import { Failure, type FailureCode } from "../../domain/failure.ts";
import type { Ask } from "./answers.ts";
import { asFailure } from "./failures.ts";

/** A message to a thread: answer a question within a limit, or plan how the next events are added to the rollups. */
export type Task =
  | {
      readonly kind: "report";
      readonly ask: Ask;
      readonly deadline: number;
      readonly limitMs: number;
      /** Shared with the thread: its first number becomes 1 when the client has left. */
      readonly gone: Int32Array;
    }
  | { readonly kind: "plan"; readonly most: number };

/** A message from a thread: the answer, or the parts of a failure, because a message does not keep the class of an error. */
export type Report =
  | { readonly kind: "answer"; readonly answer: unknown }
  | {
      readonly kind: "failure";
      readonly code: FailureCode;
      readonly detail: string;
      readonly retryAfterSeconds?: number | undefined;
    }
  | { readonly kind: "defect"; readonly error: unknown };

/** Threads that read the file on connections of their own, so that no report blocks a write. */
export interface Threads {
  /** Rejects when the queue is full, when the file cannot be read, and after `close`. */
  run(task: Task): Promise<unknown>;
  close(): Promise<void>;
}

interface Job {
  readonly task: Task;
  readonly fulfil: (answer: unknown) => void;
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
    const worker = new Worker(script, { workerData: { file, niceness } satisfies ThreadData });
    // An idle thread must not keep the process alive.
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
