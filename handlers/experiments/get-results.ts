import { z } from "zod";
import { ConfidenceLevel } from "../../domain/experiments/experiment.ts";
import { Results, resultsOf } from "../../domain/experiments/results.ts";
import { Name } from "../../domain/text.ts";
import { endpoint, TestPath } from "../contract/endpoint.ts";
import { unanswerable } from "../contract/faults.ts";
import { existingCells, existingExperiment } from "./existing-experiment.ts";

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
  }),
  replies: { ok: Results },
  failures: ["not_found"],

  async handle({ params, query }, { storage, now }) {
    const experiment = await existingExperiment(storage, params.test_id);
    const results = resultsOf(experiment, await existingCells(storage, experiment.id), now(), query);
    if (query.metric !== undefined && results.results.every(({ metrics }) => metrics.length === 0)) {
      const message = "is neither declared nor tracked in this test";
      throw unanswerable("request", [{ path: "metric", message }]);
    }
    return { outcome: "ok", body: results };
  },
});
