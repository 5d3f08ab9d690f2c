import { z } from "zod";
import type { Experiment } from "../../../domain/experiments/experiment.ts";
import { endpoint, type World } from "../../contract/endpoint.ts";
import { AssignInput } from "./assign-variant.ts";
import { Assigned, assignedBody, enrol, NotEnrolled } from "./enrolment.ts";

// Far more than run side by side anywhere; it bounds what one page view costs.
const MAX_RUNNING = 1_000;

const TestName = { test_name: z.string() };
const Everywhere = z.strictObject({
  user_id: z.string(),
  assignments: z.array(
    z.union([
      Assigned.omit({ user_id: true }).extend(TestName),
      NotEnrolled.omit({ user_id: true }).extend(TestName),
    ]),
  ),
});
type InOne = z.infer<typeof Everywhere>["assignments"][number];

export const assignEverywhere = endpoint({
  name: "assignEverywhere",
  method: "POST",
  path: "/apiv1/assignments",
  access: "write",
  summary: "The user's variant in every running A/B test, in one round trip",
  body: AssignInput,
  replies: { ok: Everywhere },

  async handle({ body: { user_id } }, world) {
    const running = await world.storage.listExperiments({ limit: MAX_RUNNING, status: "running" });
    const assignments = await Promise.all(running.map((experiment) => assignIn(experiment, user_id, world)));
    return { outcome: "ok", body: { user_id, assignments } };
  },
});

async function assignIn(experiment: Experiment, userId: string, world: World): Promise<InOne> {
  const { id: test_id, test_name } = experiment;
  const enrolment = await enrol(experiment, userId, world);
  if (enrolment.kind === "none") return { test_id, test_name, variant: null, reason: enrolment.reason };
  const { user_id: _, ...assigned } = assignedBody(experiment, enrolment.assignment);
  return { ...assigned, test_name };
}
