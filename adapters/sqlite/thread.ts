import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import Sqlite from "better-sqlite3";
import { Failure } from "../../domain/failure.ts";
import { createAnswers } from "./answers.ts";
import { asFailure } from "./failures.ts";
import { createFoldPlanner } from "./fold-plan.ts";
import { patienceOf } from "./patience.ts";
import type { Report, Task, ThreadData } from "./threads.ts";

// What a thread of threads.ts runs: it reads, on a connection of its own, and never writes.

const PRAGMAS = ["query_only = on", "cache_size = -32000", "mmap_size = 1073741824", "temp_store = memory"];
const BUSY_PATIENCE_MS = 2_000;

const { file, niceness } = workerData as ThreadData;
// On Linux this is of the thread that says it alone; elsewhere it would be of the whole process. Where there are fewer cores
// than work, who stores events comes before who asks about them.
if (process.platform === "linux") setPriority(niceness);
const db = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: BUSY_PATIENCE_MS });
for (const pragma of PRAGMAS) db.pragma(pragma);
const answer = createAnswers(db);
const planner = createFoldPlanner(db);
const planAtOneMoment = db.transaction((most: number) => planner.plan(most));

function carryOut(task: Task): unknown {
  if (task.kind === "plan") return planAtOneMoment(task.most);
  const { ask, deadline, limitMs, gone } = task;
  const patience = patienceOf(deadline, limitMs, () => Atomics.load(gone, 0) === 1);
  // It may have waited for longer than it may take.
  patience.check();
  return answer(ask, patience);
}

function reportOn(task: Task): Report {
  try {
    return { kind: "answer", answer: carryOut(task) };
  } catch (thrown) {
    const error = asFailure(thrown, "read");
    if (!(error instanceof Failure)) return { kind: "defect", error };
    const { code, message: detail, retryAfterSeconds } = error;
    return { kind: "failure", code, detail, retryAfterSeconds };
  }
}

parentPort?.on("message", (task: Task) => parentPort?.postMessage(reportOn(task)));
