import { setTimeout as sleep } from "node:timers/promises";
import type { Storage } from "../../domain/storage.ts";

const POLL_MS = 100;
// Each question waits for half of the time that a report may take. An erasure that fails keeps answers from the rollups.
const MOST_QUESTIONS = 20;

/** Stored events, and their types. */
export interface Built {
  readonly events: number;
  readonly types: number;
}

/**
 * Waits until the rollups contain every stored event. A question builds what is left, but answers from the events where that
 * takes too long, so the catalogue is asked for until its answer comes from the rollups.
 */
export async function builtRollups(storage: Pick<Storage, "check" | "eventTypes">): Promise<Built> {
  while ((await storage.check()).rebuild !== undefined) await sleep(POLL_MS);
  let answer = await storage.eventTypes();
  for (let asked = 1; answer.source === "raw" && asked < MOST_QUESTIONS; asked += 1) {
    await sleep(POLL_MS);
    answer = await storage.eventTypes();
  }
  const counts = answer.value.map(({ count, counts_only = 0 }) => count - counts_only);
  return { events: counts.reduce((a, b) => a + b, 0), types: counts.filter((count) => count > 0).length };
}
