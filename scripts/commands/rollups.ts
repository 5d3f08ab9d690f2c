import { setTimeout as sleep } from "node:timers/promises";
import type { TypeSummary } from "../../domain/reports/catalogue.ts";
import type { Storage } from "../../domain/storage.ts";

const POLL_MS = 100;

/** Waits until the rollups contain every stored event. The catalogue is asked for last: a question builds what is left. */
export async function builtRollups(storage: Storage): Promise<readonly TypeSummary[]> {
  while ((await storage.check()).rebuild !== undefined) await sleep(POLL_MS);
  return (await storage.eventTypes()).value;
}
