import { parentPort, workerData } from "node:worker_threads";
import { readOnly } from "./copy-check.ts";

/** What the thread copies. */
export interface CopyTask {
  readonly source: string;
  readonly partial: string;
}

/** Reports an error by its message: a thread does not keep the class of an error. */
function vacuumInto({ source, partial }: CopyTask): void {
  try {
    const db = readOnly(source);
    db.prepare("vacuum into ?").run(partial);
    db.close();
  } catch (error) {
    parentPort?.postMessage(error instanceof Error ? error.message : String(error));
  }
}

vacuumInto(workerData);
