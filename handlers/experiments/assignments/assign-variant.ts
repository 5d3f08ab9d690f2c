import { z } from "zod";
import { Name } from "../../../domain/text.ts";
import { endpoint, TestPath } from "../../contract/endpoint.ts";
import { existingExperiment } from "../existing-experiment.ts";
import { Assigned, assignedBody, enrol, NotEnrolled } from "./enrolment.ts";

export const AssignInput = z.strictObject({ user_id: Name }).meta({ id: "AssignInput" });

export const assignVariant = endpoint({
  name: "assignVariant",
  method: "POST",
  path: "/apiv1/ab-tests/{test_id}/assign",
  access: "write",
  summary: "The user's variant: the same one for ever",
  params: TestPath,
  body: AssignInput,
  replies: { created: Assigned, ok: z.union([Assigned, NotEnrolled]) },
  failures: ["not_found"],

  async handle({ params: { test_id }, body: { user_id } }, world) {
    const experiment = await existingExperiment(world.storage, test_id);
    const enrolment = await enrol(experiment, user_id, world);
    if (enrolment.kind === "none") {
      return { outcome: "ok", body: { user_id, test_id, variant: null, reason: enrolment.reason } };
    }
    const body = assignedBody(experiment, enrolment.assignment);
    return { outcome: enrolment.kind === "new" ? "created" : "ok", body };
  },
});
