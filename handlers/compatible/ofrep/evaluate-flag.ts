import { z } from "zod";
import { Failure } from "../../../domain/failure.ts";
import { Name } from "../../../domain/text.ts";
import { endpoint } from "../../contract/endpoint.ts";
import { enrol } from "../../experiments/assignments/enrolment.ts";
import { flagOf } from "../flag.ts";
import { askerOf, Evaluation, EvaluationInput, evaluationOf, evaluationRefusal } from "./evaluation.ts";

export const evaluateFlag = endpoint({
  name: "ofrepEvaluateFlag",
  method: "POST",
  path: "/ofrep/v1/evaluate/flags/{key+}",
  access: "write",
  summary: "OpenFeature: the user's variant in the A/B test of this name; enrols the user",
  sharesItsPath: true,
  foreign: { refusal: evaluationRefusal },
  params: z.strictObject({ key: z.string() }),
  query: z.looseObject({}),
  body: EvaluationInput,
  replies: { ok: Evaluation },
  failures: ["not_found"],

  async handle({ params: { key }, body }, world) {
    const name = Name.safeParse(key);
    const experiment = name.success ? await world.storage.findExperimentByName(name.data) : undefined;
    if (experiment === undefined || experiment.status === "archived") {
      throw new Failure("not_found", "No A/B test has this name, or it is archived.");
    }
    const enrolment = await enrol(experiment, askerOf(body), world);
    return { outcome: "ok", body: evaluationOf(flagOf(experiment, enrolment)) };
  },
});
