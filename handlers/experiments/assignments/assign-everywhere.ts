import { z } from "zod";
import { type Experiment, variantOf } from "../../../domain/experiments/experiment.ts";
import { endpoint, type World } from "../../contract/endpoint.ts";
import { AssignInput } from "./assign-variant.ts";
import { eventCovariates } from "./covariates.ts";
import { decideEverywhere, type InExperiment } from "./decide-everywhere.ts";
import { Assigned, type Enrolment, enrolmentBody, enrolmentOf, NotEnrolled } from "./enrolment.ts";

const EverywhereInput = AssignInput.extend({
  enrol: z
    .boolean()
    .default(true)
    .meta({ description: "With false, only shows what the user has or would get, and stores nothing." }),
}).meta({ id: "AssignEverywhereInput" });

const TestName = { test_name: z.string() };
const Everywhere = z.strictObject({
  user_id: z.string(),
  assignments: z.array(
    z.union([
      Assigned.omit({ user_id: true }).extend(TestName),
      NotEnrolled.omit({ user_id: true }).extend(TestName),
      // The variant that enrolling would give; there is no time and no reason.
      Assigned.omit({ user_id: true, assigned_at: true }).extend(TestName),
    ]),
  ),
});
type InOne = z.infer<typeof Everywhere>["assignments"][number];

export const assignEverywhere = endpoint({
  name: "assignEverywhere",
  method: "POST",
  path: "/apiv1/assignments",
  access: "write",
  summary: "The user's variant in every A/B test that shows one, in one round trip",
  body: EverywhereInput,
  replies: { ok: Everywhere },

  async handle({ body }, world) {
    const { user_id, enrol } = body;
    const decisions = await decideEverywhere(body, world);
    const assignments = enrol ? await enrolEverywhere(decisions, world) : decisions.map(preview);
    return { outcome: "ok", body: { user_id, assignments } };
  },
});

/** Stores all new assignments in one act, whatever the number of experiments. */
async function enrolEverywhere(
  decisions: readonly InExperiment[],
  { storage }: Pick<World, "storage">,
): Promise<InOne[]> {
  const enrolling = decisions.flatMap(({ experiment, decision }) =>
    decision.kind === "candidate" ? [{ experiment, candidate: decision.candidate }] : [],
  );
  const covariates = await eventCovariates(enrolling, storage);
  const candidates = enrolling.map(({ candidate }, place) => ({
    ...candidate,
    covariates: covariates[place],
  }));
  const stored = (candidates.length === 0 ? [] : await storage.assignUser(candidates)).values();
  return decisions.flatMap(({ experiment, decision }): InOne[] => {
    if (decision.kind !== "candidate") return [bodyOf(experiment, decision)];
    const { value: won } = stored.next();
    // The experiment was deleted meanwhile.
    return won === undefined ? [] : [bodyOf(experiment, enrolmentOf(won))];
  });
}

function preview({ experiment, decision }: InExperiment): InOne {
  if (decision.kind !== "candidate") return bodyOf(experiment, decision);
  const { id: test_id, test_name } = experiment;
  const {
    id: variant_id,
    variant_name: variant,
    value,
  } = variantOf(experiment, decision.candidate.variant_id);
  return { test_id, test_name, variant, variant_id, value };
}

function bodyOf(experiment: Experiment, enrolment: Enrolment): InOne {
  const { user_id: _, ...answer } = enrolmentBody(experiment, "", enrolment);
  return { ...answer, test_name: experiment.test_name };
}
