import { z } from "zod";
import { choose } from "../../../domain/experiments/assignment.ts";
import { type Experiment, variantName } from "../../../domain/experiments/experiment.ts";
import type { Assignment, ExperimentCandidate } from "../../../domain/storage.ts";
import { type Instant, IsoTime, isoTime } from "../../../domain/time.ts";
import type { World } from "../../contract/endpoint.ts";

const Reason = z.enum(["not_in_traffic", "not_running", "no_weight"]);
type Reason = z.infer<typeof Reason>;

export const Assigned = z.strictObject({
  user_id: z.string(),
  test_id: z.int(),
  variant: z.string(),
  variant_id: z.int(),
  assigned_at: IsoTime,
});

export const NotEnrolled = z.strictObject({
  user_id: z.string(),
  test_id: z.int(),
  variant: z.null(),
  reason: Reason,
});

/** The answer to a request for a user's variant: the stored one, a new one, or none and the reason. */
export type Enrolment =
  | { readonly kind: "known" | "new"; readonly assignment: Assignment }
  | { readonly kind: "none"; readonly reason: Reason };

export type Decision =
  | Enrolment
  /** The variant is chosen and not stored yet. */
  | { readonly kind: "candidate"; readonly candidate: ExperimentCandidate };

/** A user keeps the variant that is stored. Others are assigned while the experiment runs and its traffic takes them in. */
export function decide(
  experiment: Experiment,
  user_id: string,
  known: Assignment | undefined,
  now: Instant,
): Decision {
  if (known !== undefined) return { kind: "known", assignment: known };
  if (experiment.status !== "running") return { kind: "none", reason: "not_running" };
  const choice = choose(experiment, user_id);
  if (choice.kind !== "variant") return { kind: "none", reason: choice.kind };
  const { variant_id } = choice;
  return { kind: "candidate", candidate: { test_id: experiment.id, user_id, variant_id, assigned_at: now } };
}

export async function enrol(
  experiment: Experiment,
  user_id: string,
  { storage, now }: Pick<World, "storage" | "now">,
): Promise<Enrolment> {
  const known = await storage.findAssignment(experiment.id, user_id);
  const decision = decide(experiment, user_id, known, now());
  if (decision.kind !== "candidate") return decision;
  const { test_id, ...candidate } = decision.candidate;
  const [won] = await storage.assign(test_id, [candidate]);
  return { kind: won.created ? "new" : "known", assignment: won };
}

export const assignedBody = (
  experiment: Experiment,
  { user_id, variant_id, assigned_at }: Assignment,
): z.infer<typeof Assigned> => ({
  user_id,
  test_id: experiment.id,
  variant: variantName(experiment, variant_id),
  variant_id,
  assigned_at: isoTime(assigned_at),
});
