import { z } from "zod";
import { isName, Name } from "../../../domain/text.ts";
import { hasOnly, type UsualForm } from "../../../domain/usual.ts";
import { endpoint, TestPath, usualTestPath } from "../../contract/endpoint.ts";
import { existingExperiment } from "../existing-experiment.ts";
import { Assigned, AttributesInput, enrol, enrolmentBody, NotEnrolled } from "./enrolment.ts";

export const AssignInput = z
  .strictObject({ user_id: Name, attributes: AttributesInput.optional() })
  .meta({ id: "AssignInput", examples: [{ user_id: "user123" }] });

const USUAL_FIELDS = new Set(["user_id"]);

/** A valid user without attributes. */
export const usualUser: UsualForm<z.infer<typeof AssignInput>> = (body) => {
  const user_id = hasOnly(USUAL_FIELDS, body) ? body.user_id : undefined;
  return isName(user_id) ? { user_id } : undefined;
};

export const assignVariant = endpoint({
  name: "assignVariant",
  method: "POST",
  path: "/apiv1/ab-tests/{test_id}/assign",
  access: "write",
  summary: "The user's variant: the same one for ever",
  params: TestPath,
  body: AssignInput,
  usual: { params: usualTestPath, body: usualUser },
  replies: { created: Assigned, ok: z.union([Assigned, NotEnrolled]) },
  failures: ["not_found"],

  async handle({ params: { test_id }, body }, world) {
    const experiment = await existingExperiment(world.storage, test_id);
    const enrolment = await enrol(experiment, body, world);
    const answer = enrolmentBody(experiment, body.user_id, enrolment);
    if (enrolment.kind === "new" && "assigned_at" in answer) return { outcome: "created", body: answer };
    return { outcome: "ok", body: answer };
  },
});
