import { z } from "zod";
import { choose } from "../../../domain/experiments/assignment.ts";
import { type Experiment, variantName } from "../../../domain/experiments/experiment.ts";
import type { Assignment } from "../../../domain/storage.ts";
import { IsoTime, isoTime } from "../../../domain/time.ts";
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

/** What asking for a user's variant comes to: the one stored, a new one, or none and why. */
export type Enrolment =
  | { readonly kind: "known" | "new"; readonly assignment: Assignment }
  | { readonly kind: "none"; readonly reason: Reason };

/** Whoever has a variant keeps it; everybody else gets one while the experiment runs and takes them in. */
export async function enrol(
  experiment: Experiment,
  user_id: string,
  { storage, now }: Pick<World, "storage" | "now">,
): Promise<Enrolment> {
  const known = await storage.findAssignment(experiment.id, user_id);
  if (known !== undefined) return { kind: "known", assignment: known };
  if (experiment.status !== "running") return { kind: "none", reason: "not_running" };
  const choice = choose(experiment, user_id);
  if (choice.kind !== "variant") return { kind: "none", reason: choice.kind };
  const candidate = { user_id, variant_id: choice.variant_id, assigned_at: now() };
  const [won] = await storage.assign(experiment.id, [candidate]);
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
