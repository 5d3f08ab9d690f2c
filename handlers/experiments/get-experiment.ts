import { describe, ExperimentReply } from "../../domain/experiments/experiment.ts";
import { endpoint, TestPath } from "../contract/endpoint.ts";
import { existingExperiment } from "./existing-experiment.ts";

export const getExperiment = endpoint({
  name: "getExperiment",
  method: "GET",
  path: "/apiv1/ab-tests/{test_id}",
  access: "read",
  summary: "One A/B test with its variants",
  params: TestPath,
  replies: { ok: ExperimentReply },
  failures: ["not_found"],

  async handle({ params }, { storage }) {
    const experiment = await existingExperiment(storage, params.test_id);
    return { outcome: "ok", body: describe(experiment) };
  },
});
