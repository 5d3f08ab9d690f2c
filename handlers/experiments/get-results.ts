import { z } from "zod";
import { ConfidenceLevel } from "../../domain/experiments/experiment.ts";
import { Results } from "../../domain/experiments/results/results.ts";
import { Segments } from "../../domain/experiments/results/segment-results.ts";
import { segmentsOf } from "../../domain/experiments/results/segments.ts";
import { Name } from "../../domain/text.ts";
import { endpoint, TestPath } from "../contract/endpoint.ts";
import { unanswerable } from "../contract/faults.ts";
import { measuredExperiment } from "./existing-experiment.ts";
import { readSegments } from "./read-segments.ts";

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
      description:
        "A property that users had when they were assigned, sent with the assignment or taken from their last event before it that has the property: shows the results of each of its values as well.",
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
    const table = await readSegments(storage, measured.experiment, segment, gone());
    const segments = segmentsOf(measured.experiment, measured, table, segment, now(), question);
    return { outcome: "ok", body: { ...results, segments } };
  },
});
