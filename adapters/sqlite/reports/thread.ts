import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import Sqlite, { type Database } from "better-sqlite3";
import { Failure } from "../../../domain/failure.ts";
import { createCheckpoint } from "../checkpoints.ts";
import { asFailure } from "../failures.ts";
import { removalPlanOf } from "../people/removal-planner.ts";
import { createRemovalPlans } from "../people/removal-plans.ts";
import { checkOf, createAnswers } from "./questions.ts";
import { createPlanner } from "./rollup-build.ts";
import type { Outcome, Task, ThreadData } from "./threads.ts";

// The program of a thread of threads.ts. It reads on a connection of its own, and writes nothing but checkpoints.

const PRAGMAS = ["query_only = on", "cache_size = -32000", "mmap_size = 1073741824", "temp_store = memory"];
const BUSY_PATIENCE_MS = 2_000;

const { file, niceness } = workerData as ThreadData;
// On Linux this is the priority of one thread; elsewhere it would be that of the process. Storing events takes
// precedence over reports where the machine is busy.
if (process.platform === "linux") setPriority(niceness);

function open(): Database {
  const db = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: BUSY_PATIENCE_MS });
  try {
    for (const pragma of PRAGMAS) db.pragma(pragma);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function connect(): (task: Task) => unknown {
  const db = open();
  const answers = createAnswers(db);
  const plan = createPlanner(db);
  const plans = createRemovalPlans(db);
  const checkpoint = createCheckpoint(file);
  return (task) => {
    if (task.kind === "plan") return plan(task.most);
    if (task.kind === "checkpoint") return checkpoint();
    if ("values" in task) return removalPlanOf(plans, task);
    const { terms, limits } = task;
    const check = checkOf(limits, () => Atomics.load(limits.gone, 0) === 1);
    switch (task.kind) {
      case "listEvents":
        return answers.listEvents(task.question, terms, check);
      case "eventTypes":
        return answers.eventTypes(terms, check);
      case "trend":
        return answers.trend(task.question, terms, check);
      case "funnel":
        return answers.funnel(task.question, terms, check);
      case "retention":
        return answers.retention(task.question, terms, check);
      case "userFacts":
        return answers.userFacts(task.question, terms, check);
    }
  };
}

let carryOut: ((task: Task) => unknown) | undefined;

function outcomeOf(task: Task): Outcome {
  try {
    // With the first task rather than at the start, so that a file that cannot be opened is the answer to that task and
    // the next task tries again.
    carryOut ??= connect();
    return { kind: "answer", answer: carryOut(task) };
  } catch (thrown) {
    const error = asFailure(thrown, "read");
    if (!(error instanceof Failure)) return { kind: "defect", error };
    const { code, message: detail, retryAfterSeconds } = error;
    return { kind: "failure", code, detail, retryAfterSeconds };
  }
}

parentPort?.on("message", (task: Task) => parentPort?.postMessage(outcomeOf(task)));
