import { z } from "zod";
import { ConfidenceLevel } from "../../domain/experiments/experiment.ts";
import { news } from "../../domain/experiments/looks.ts";
import { assess, Results } from "../../domain/experiments/results.ts";
import { Failure } from "../../domain/failure.ts";
import { Name } from "../../domain/text.ts";
import { endpoint, TestPath } from "../contract/endpoint.ts";
import { unanswerable } from "../contract/faults.ts";
import { existingExperiment } from "./existing-experiment.ts";

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
    const tally = await storage.tally(experiment.id);
    const { results, looks } = assess(experiment, tally, now(), query);
    if (query.metric !== undefined && results.results.every(({ metrics }) => metrics.length === 0)) {
      const message = "is neither declared nor tracked in this test";
      throw unanswerable("request", [{ path: "metric", message }]);
    }
    // What was shown is shown for good, so that a verdict does not flicker; nothing new is shown after the end.
    const shown = experiment.stopped_at === null ? news(tally.looks, looks) : [];
    if (shown.length > 0) await storage.keepLooks(experiment.id, shown).catch(unlessUnavailable);
    return { outcome: "ok", body: results };
  },
});

/** A disk that takes nothing now is no reason to withhold what can be read; anything else is a defect of ours. */
function unlessUnavailable(error: unknown): void {
  if (!(error instanceof Failure) || error.code !== "unavailable") throw error;
}
