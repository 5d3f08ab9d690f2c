import { z } from "zod";
import { endpoint, TestPath } from "../contract/endpoint.ts";
import { unknownExperiment } from "./existing-experiment.ts";

export const deleteExperiment = endpoint({
  name: "deleteExperiment",
  method: "DELETE",
  path: "/apiv1/ab-tests/{test_id}",
  access: "admin",
  summary: "Delete an A/B test with all its rows",
  params: TestPath,
  replies: { deleted: z.undefined() },
  failures: ["not_found"],

  async handle({ params: { test_id } }, { storage }) {
    if (await storage.deleteExperiment(test_id)) return { outcome: "deleted", body: undefined };
    throw unknownExperiment(test_id);
  },
});
