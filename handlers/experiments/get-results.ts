import { z } from "zod";
import type { MeasuredExperiment } from "../../domain/experiments/cells.ts";
import { ConfidenceLevel } from "../../domain/experiments/experiment.ts";
import { type Question, Results } from "../../domain/experiments/results/results.ts";
import {
  MAX_SEGMENT_USERS,
  Segments,
  SegmentTable,
  segmentsOf,
} from "../../domain/experiments/results/segments.ts";
import { Name } from "../../domain/text.ts";
import type { World } from "../contract/endpoint.ts";
import { endpoint, TestPath } from "../contract/endpoint.ts";
import { unanswerable } from "../contract/faults.ts";
import { measuredExperiment } from "./existing-experiment.ts";

const PAGE = 1_000;

const ResultsReply = Results.extend({ segments: Segments.optional() }).meta({ id: "ResultsReply" });

export const getResults = endpoint({
  name: "getResults",
  method: "GET",
  path: "/apiv1/ab-tests/{test_id}/results",
  access: "read",
  summary: "Counts, statistics and verdict",
  params: TestPath,
  query: z.strictObject({
    confidence: z.coerce.number().pipe(ConfidenceLevel).optional(),
    metric: Name.optional(),
    segment: Name.optional().meta({
      description: "A property sent with the assignments: shows the results of each of its values as well.",
    }),
  }),
  replies: { ok: ResultsReply },
  failures: ["not_found"],

  async handle({ params, query: { segment, ...question }, gone }, world) {
    const { storage, prepared, now } = world;
    const measured = await measuredExperiment(storage, params.test_id);
    const { body: results, json } = prepared.results(measured, now(), question);
    if (question.metric !== undefined && results.results.every(({ metrics }) => metrics.length === 0)) {
      const message = "is neither declared nor tracked in this test";
      throw unanswerable("request", [{ path: "metric", message }]);
    }
    if (segment === undefined) return { outcome: "ok", body: results, json };
    const segments = await readSegments(world, measured, segment, question, gone());
    return { outcome: "ok", body: { ...results, segments } };
  },
});

/** Reads the users page by page, so that other requests are served meanwhile. */
async function readSegments(
  { storage, now }: World,
  measured: MeasuredExperiment,
  property: string,
  question: Question,
  gone: AbortSignal,
): Promise<Segments> {
  const { experiment } = measured;
  const table = new SegmentTable(experiment);
  let after: string | null = null;
  do {
    const page = await storage.segmentUsers(experiment.id, property, { after, limit: PAGE });
    for (const user of page.users) table.add(user);
    after = page.next;
    gone.throwIfAborted();
    await new Promise<void>((resolve) => setImmediate(resolve));
  } while (after !== null && table.users < MAX_SEGMENT_USERS);
  if (table.users === 0) {
    const message =
      "is a property that no user of this test has: send it as an attribute with the assignments";
    throw unanswerable("request", [{ path: "segment", message }]);
  }
  return segmentsOf(experiment, measured, table, property, now(), question);
}
