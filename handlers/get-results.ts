import { computeResults, Results } from "../domain/results.ts";
import { endpoint, TestPath } from "./endpoint.ts";
import { existingExperiment } from "./existing-experiment.ts";

export const getResults = endpoint({
  name: "getResults",
  method: "GET",
  path: "/apiv1/ab-tests/{test_id}/results",
  access: "read",
  summary: "Users, counts and figures per variant and metric",
  params: TestPath,
  replies: { ok: Results },
  failures: ["not_found"],

  async handle({ params }, { storage, now }) {
    const experiment = await existingExperiment(storage, params.test_id);
    const tallies = await storage.tally(experiment.id);
    return { outcome: "ok", body: computeResults(experiment, tallies, now()) };
  },
});
