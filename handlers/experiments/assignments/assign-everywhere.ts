import { z } from "zod";
import type { Experiment } from "../../../domain/experiments/experiment.ts";
import { endpoint, type World } from "../../contract/endpoint.ts";
import { AssignInput } from "./assign-variant.ts";
import { Assigned, assignedBody, decide, type Enrolment, NotEnrolled } from "./enrolment.ts";

// Bounds the cost of one page view.
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
    const enrolments = await enrolEverywhere(running, user_id, world);
    const assignments = enrolments.map(({ experiment, enrolment }) => bodyOf(experiment, enrolment));
    return { outcome: "ok", body: { user_id, assignments } };
  },
});

interface InExperiment {
  readonly experiment: Experiment;
  readonly enrolment: Enrolment;
}

/** Reads all assignments at once and stores all new ones in one act, whatever the number of experiments. */
async function enrolEverywhere(
  running: readonly Experiment[],
  userId: string,
  { storage, now }: Pick<World, "storage" | "now">,
): Promise<InExperiment[]> {
  const ids = running.map(({ id }) => id);
  const known = await storage.findAssignments(ids, userId);
  const time = now();
  const decisions = running.map((experiment) => ({
    experiment,
    decision: decide(experiment, userId, known.get(experiment.id), time),
  }));
  const candidates = decisions.flatMap(({ decision }) =>
    decision.kind === "candidate" ? [decision.candidate] : [],
  );
  const stored = (candidates.length === 0 ? [] : await storage.assignUser(candidates)).values();
  return decisions.flatMap(({ experiment, decision }): InExperiment[] => {
    if (decision.kind !== "candidate") return [{ experiment, enrolment: decision }];
    const { value: won } = stored.next();
    // The experiment was deleted meanwhile.
    if (won === undefined) return [];
    return [{ experiment, enrolment: { kind: won.created ? "new" : "known", assignment: won } }];
  });
}

function bodyOf(experiment: Experiment, enrolment: Enrolment): InOne {
  const { id: test_id, test_name } = experiment;
  if (enrolment.kind === "none") return { test_id, test_name, variant: null, reason: enrolment.reason };
  const { user_id: _, ...assigned } = assignedBody(experiment, enrolment.assignment);
  return { ...assigned, test_name };
}
