import type { Experiment } from "../../domain/experiments/experiment.ts";
import {
  MAX_SEGMENT_USERS,
  SegmentTable,
  type SegmentUser,
  segmentQuestion,
} from "../../domain/experiments/results/segments.ts";
import type { EventQuestions, MetricStore } from "../../domain/storage.ts";
import { unanswerable } from "../contract/faults.ts";

const PAGE = 1_000;
// Each question reads all events of a time, so few of them ask about many users.
const USERS_A_QUESTION = 10_000;

type Reads = Pick<MetricStore, "segmentUsers"> & Pick<EventQuestions, "userFacts">;

/** The users of each value of a property that they had when they were assigned; refuses one that nobody had. */
export async function readSegments(
  storage: Reads,
  experiment: Experiment,
  property: string,
  gone: AbortSignal,
): Promise<SegmentTable> {
  const table = new SegmentTable(experiment);
  let unknown: SegmentUser[] = [];
  const askEvents = async (): Promise<void> => {
    if (unknown.length === 0) return;
    const facts = await storage.userFacts(segmentQuestion(property, unknown), {
      gone,
      instead: "Ask without segment.",
    });
    for (const [index, user] of unknown.entries()) {
      const value = facts[index] ?? null;
      if (value !== null) table.add(value, user);
    }
    unknown = [];
  };
  let after: string | null = null;
  let looked = 0;
  do {
    const page = await storage.segmentUsers(experiment.id, property, { after, limit: PAGE });
    for (const user of page.users) {
      if (user.value === null) unknown.push(user);
      else table.add(user.value, user);
    }
    if (unknown.length >= USERS_A_QUESTION) await askEvents();
    after = page.next;
    looked += PAGE;
    gone.throwIfAborted();
    // Other requests are served meanwhile.
    await new Promise<void>((resolve) => setImmediate(resolve));
  } while (after !== null && looked < MAX_SEGMENT_USERS);
  await askEvents();
  table.capped = after !== null;
  if (table.users > 0) return table;
  const message =
    "is a property that no user of this test had: send it as an attribute with the assignments, or with events before them";
  throw unanswerable("request", [{ path: "segment", message }]);
}
