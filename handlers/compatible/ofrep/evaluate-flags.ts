import { z } from "zod";
import { endpoint } from "../../contract/endpoint.ts";
import { decideEverywhere } from "../../experiments/assignments/decide-everywhere.ts";
import { flagOf } from "../flag.ts";
import { askerOf, Evaluation, EvaluationInput, evaluationOf, evaluationRefusal } from "./evaluation.ts";

export const evaluateFlags = endpoint({
  name: "ofrepEvaluateFlags",
  method: "POST",
  path: "/ofrep/v1/evaluate/flags",
  access: "write",
  summary: "OpenFeature: what the user has or would get in every A/B test; enrols nobody",
  sharesItsPath: true,
  isRevalidated: true,
  foreign: { refusal: evaluationRefusal },
  query: z.looseObject({}),
  body: EvaluationInput,
  replies: { ok: z.strictObject({ flags: z.array(Evaluation), metadata: z.strictObject({}) }) },

  // A page asks at its load for all tests. To enrol the user in all of them would dilute each with users who never saw it.
  async handle({ body }, world) {
    const decisions = await decideEverywhere(askerOf(body), world);
    const flags = decisions.map(({ experiment, decision }) => evaluationOf(flagOf(experiment, decision)));
    return { outcome: "ok", body: { flags, metadata: {} } };
  },
});
