import { z } from "zod";
import {
  describe,
  ExperimentInput,
  ExperimentReply,
  newExperiment,
} from "../../domain/experiments/experiment.ts";
import { refusePastEnd } from "../../domain/experiments/lifecycle.ts";
import { Failure } from "../../domain/failure.ts";
import { endpoint } from "../contract/endpoint.ts";

const { id: _, ...shown } = ExperimentReply.shape;

export const createExperiment = endpoint({
  name: "createExperiment",
  method: "POST",
  path: "/apiv1/ab-tests",
  access: "admin",
  summary: "Create an A/B test",
  body: ExperimentInput,
  replies: { created: z.strictObject({ success: z.literal(true), test_id: z.int(), ...shown }) },
  failures: ["conflict"],

  async handle({ body }, { storage, now, newId }) {
    const at = now();
    refusePastEnd(body.stop_at, at);
    const experiment = await storage.createExperiment(
      newExperiment(body, newId(), at),
      body.exclusion_group ?? null,
    );
    if (experiment === undefined) {
      const detail = `An A/B test named "${body.test_name}" exists already: choose another name.`;
      throw new Failure("conflict", detail, { faults: [{ path: "test_name", message: "is taken" }] });
    }
    const { id, ...rest } = describe(experiment);
    return { outcome: "created", body: { success: true as const, test_id: id, ...rest } };
  },
});
