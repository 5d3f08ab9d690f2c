import { variantOf } from "../../domain/experiments/experiment.ts";
import type { Fault } from "../../domain/failure.ts";
import { Name } from "../../domain/text.ts";
import type { Instant } from "../../domain/time.ts";
import type { World } from "../contract/endpoint.ts";
import { decide } from "../experiments/assignments/enrolment.ts";

/** A client says that it has shown a flag to a user. None of it is checked yet. */
export interface Exposure {
  readonly flag: unknown;
  readonly user_id: unknown;
  /** The name of the variant; anything else where the code's own default was shown. */
  readonly shown: unknown;
  readonly timestamp: unknown;
}

const OTHER_VARIANT: Fault = {
  path: "shown",
  message: "is not the variant that this user gets now, so that they are not enrolled",
};

/**
 * Enrols a user who has seen their variant, as of that time, so that what they did next counts. Returns why they were not,
 * where that is a fault; a flag that is no A/B test here is none.
 */
export async function expose(
  { flag, user_id, shown }: Exposure,
  at: Instant,
  { storage, now }: Pick<World, "storage" | "now">,
): Promise<readonly Fault[]> {
  const user = Name.safeParse(user_id);
  const name = Name.safeParse(flag);
  if (typeof shown !== "string" || !user.success || !name.success) return [];
  const experiment = await storage.findExperimentByName(name.data);
  if (experiment === undefined) return [];
  const known = await storage.findAssignment(experiment.id, user.data);
  const decision = decide(experiment, { user_id: user.data }, known, now());
  if (decision.kind !== "candidate") return [];
  const { test_id, ...candidate } = decision.candidate;
  if (variantOf(experiment, candidate.variant_id).variant_name !== shown) return [OTHER_VARIANT];
  await storage.assign(test_id, [{ ...candidate, assigned_at: Math.min(at, now()) }]);
  return [];
}
