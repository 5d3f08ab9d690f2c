import { z } from "zod";
import { choose } from "../domain/assignment.ts";
import { type Experiment, variantName } from "../domain/experiment.ts";
import { Failure } from "../domain/failure.ts";
import type { Assignment } from "../domain/storage.ts";
import { Name } from "../domain/text.ts";
import { IsoTime, isoTime } from "../domain/time.ts";
import { endpoint, TestPath } from "./endpoint.ts";
import { existingExperiment } from "./existing-experiment.ts";

const Assigned = z.strictObject({
  user_id: z.string(),
  test_id: z.int(),
  variant: z.string(),
  variant_id: z.int(),
  assigned_at: IsoTime,
});

const NotEnrolled = z.strictObject({
  user_id: z.string(),
  test_id: z.int(),
  variant: z.null(),
  reason: z.enum(["not_in_traffic", "not_running"]),
});

export const assignVariant = endpoint({
  name: "assignVariant",
  method: "POST",
  path: "/apiv1/ab-tests/{test_id}/assign",
  access: "write",
  summary: "The user's variant: the same one for ever",
  params: TestPath,
  body: z.strictObject({ user_id: Name }).meta({ id: "AssignInput" }),
  replies: { created: Assigned, ok: z.union([Assigned, NotEnrolled]) },
  failures: ["not_found", "conflict"],

  async handle({ params: { test_id }, body: { user_id } }, { storage, now }) {
    const experiment = await existingExperiment(storage, test_id);
    const known = await storage.findAssignment(test_id, user_id);
    if (known !== undefined) return { outcome: "ok", body: assigned(experiment, known) };

    const notEnrolled = (reason: "not_in_traffic" | "not_running") =>
      ({ outcome: "ok", body: { user_id, test_id, variant: null, reason } }) as const;
    if (experiment.status !== "running") return notEnrolled("not_running");
    const choice = choose(experiment, user_id);
    if (choice.kind === "not_in_traffic") return notEnrolled("not_in_traffic");
    if (choice.kind === "no_weight")
      throw new Failure("conflict", "No variant of this A/B test has a weight.");

    const candidate = { user_id, variant_id: choice.variant_id, assigned_at: now() };
    const [won] = await storage.assign(test_id, [candidate]);
    return { outcome: won.created ? "created" : "ok", body: assigned(experiment, won) };
  },
});

const assigned = (experiment: Experiment, { user_id, variant_id, assigned_at }: Assignment) => ({
  user_id,
  test_id: experiment.id,
  variant: variantName(experiment, variant_id),
  variant_id,
  assigned_at: isoTime(assigned_at),
});
