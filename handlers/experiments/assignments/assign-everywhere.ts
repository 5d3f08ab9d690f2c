import { z } from "zod";
import { type Experiment, variantName } from "../../../domain/experiments/experiment.ts";
import { endpoint, type World } from "../../contract/endpoint.ts";
import { AssignInput } from "./assign-variant.ts";
import { Assigned, assignedBody, type Decision, decide, type Enrolment, NotEnrolled } from "./enrolment.ts";

// Bounds the cost of one page view.
const MAX_RUNNING = 1_000;

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
  summary: "The user's variant in every running A/B test, in one round trip",
  body: EverywhereInput,
  replies: { ok: Everywhere },

  async handle({ body: { user_id, enrol } }, world) {
    const running = await world.storage.listExperiments({ limit: MAX_RUNNING, status: "running" });
    const decisions = await decideEverywhere(running, user_id, world);
    const assignments = enrol ? await enrolEverywhere(decisions, world) : decisions.map(preview);
    return { outcome: "ok", body: { user_id, assignments } };
  },
});

interface InExperiment {
  readonly experiment: Experiment;
  readonly decision: Decision;
}

/** Reads all assignments of the user at once. */
async function decideEverywhere(
  running: readonly Experiment[],
  userId: string,
  { storage, now }: Pick<World, "storage" | "now">,
): Promise<InExperiment[]> {
  const known = await storage.findAssignments(
    running.map(({ id }) => id),
    userId,
  );
  const time = now();
  return running.map((experiment) => ({
    experiment,
    decision: decide(experiment, userId, known.get(experiment.id), time),
  }));
}

/** Stores all new assignments in one act, whatever the number of experiments. */
async function enrolEverywhere(
  decisions: readonly InExperiment[],
  { storage }: Pick<World, "storage">,
): Promise<InOne[]> {
  const candidates = decisions.flatMap(({ decision }) =>
    decision.kind === "candidate" ? [decision.candidate] : [],
  );
  const stored = (candidates.length === 0 ? [] : await storage.assignUser(candidates)).values();
  return decisions.flatMap(({ experiment, decision }): InOne[] => {
    if (decision.kind !== "candidate") return [bodyOf(experiment, decision)];
    const { value: won } = stored.next();
    // The experiment was deleted meanwhile.
    if (won === undefined) return [];
    return [bodyOf(experiment, { kind: won.created ? "new" : "known", assignment: won })];
  });
}

function preview({ experiment, decision }: InExperiment): InOne {
  if (decision.kind !== "candidate") return bodyOf(experiment, decision);
  const { id: test_id, test_name } = experiment;
  const { variant_id } = decision.candidate;
  return { test_id, test_name, variant: variantName(experiment, variant_id), variant_id };
}

function bodyOf(experiment: Experiment, enrolment: Enrolment): InOne {
  const { id: test_id, test_name } = experiment;
  if (enrolment.kind === "none") return { test_id, test_name, variant: null, reason: enrolment.reason };
  const { user_id: _, ...assigned } = assignedBody(experiment, enrolment.assignment);
  return { ...assigned, test_name };
}
