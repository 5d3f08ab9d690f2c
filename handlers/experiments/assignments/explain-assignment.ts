import { z } from "zod";
import { choose, ranges, trafficBucket, variantBucket } from "../../../domain/experiments/assignment.ts";
import { type Experiment, ExperimentStatus, variantName } from "../../../domain/experiments/experiment.ts";
import type { KnownAssignment } from "../../../domain/storage.ts";
import { Name } from "../../../domain/text.ts";
import { IsoTime, isoTime } from "../../../domain/time.ts";
import { endpoint, TestPath } from "../../contract/endpoint.ts";
import { existingExperiment } from "../existing-experiment.ts";

const Explanation = z.strictObject({
  user_id: z.string(),
  test_id: z.int(),
  status: ExperimentStatus,
  variant: z.string().nullable(),
  variant_id: z.int().nullable(),
  source: z.enum(["stored", "forced", "computed", "none"]),
  reason: z.string(),
  assigned_at: IsoTime.nullable(),
  traffic: z.strictObject({ bucket: z.number(), share: z.number(), in_traffic: z.boolean() }),
  bucket: z.number(),
  ranges: z.array(
    z.strictObject({
      variant: z.string(),
      variant_id: z.int(),
      weight: z.number(),
      from: z.number(),
      to: z.number(),
    }),
  ),
});
type Explanation = z.infer<typeof Explanation>;
type Answer = Pick<Explanation, "variant_id" | "source" | "reason" | "assigned_at">;

export const explainAssignment = endpoint({
  name: "explainAssignment",
  method: "GET",
  path: "/apiv1/ab-tests/{test_id}/assignment",
  access: "read",
  summary: "Which variant a user has or would get, and why, without enrolling anybody",
  params: TestPath,
  query: z.strictObject({ user_id: Name }),
  replies: { ok: Explanation },
  failures: ["not_found"],

  async handle({ params, query: { user_id } }, { storage }) {
    const experiment = await existingExperiment(storage, params.test_id);
    const known = await storage.findAssignment(experiment.id, user_id);
    const answer = known === undefined ? computed(experiment, user_id) : stored(known);
    const { variant_id } = answer;
    return {
      outcome: "ok",
      body: {
        user_id,
        test_id: experiment.id,
        status: experiment.status,
        variant: variant_id === null ? null : variantName(experiment, variant_id),
        ...answer,
        ...placeOf(experiment, user_id),
      },
    };
  },
});

function stored({ variant_id, assigned_at, forced }: KnownAssignment): Answer {
  const at = isoTime(assigned_at);
  const reason = forced
    ? "Forced for this tester, who is left out of the statistics."
    : "Stored: a user keeps the first variant, whatever the weights are now.";
  return { variant_id, source: forced ? "forced" : "stored", reason, assigned_at: at };
}

function computed(experiment: Experiment, userId: string): Answer {
  const none = (reason: string): Answer => ({ variant_id: null, source: "none", reason, assigned_at: null });
  if (experiment.status !== "running") return none(`The test is ${experiment.status}: nobody is taken in.`);
  const choice = choose(experiment, userId);
  if (choice.kind === "not_in_traffic")
    return none("The user's traffic bucket is not below the share taken in.");
  if (choice.kind === "no_weight") return none("No variant has a weight above 0.");
  const reason = "Computed: the range that the user's bucket falls into; assigning would store it.";
  return { variant_id: choice.variant_id, source: "computed", reason, assigned_at: null };
}

function placeOf(experiment: Experiment, userId: string): Pick<Explanation, "traffic" | "bucket" | "ranges"> {
  const { salt, traffic: share, variants } = experiment;
  const bucket = trafficBucket(salt, userId);
  const weightOf = (id: number): number => variants.find((variant) => variant.id === id)?.weight ?? 0;
  return {
    traffic: { bucket, share, in_traffic: bucket < share },
    bucket: variantBucket(salt, userId),
    ranges: ranges(variants).map(({ variant_id, from, to }) => ({
      variant: variantName(experiment, variant_id),
      variant_id,
      weight: weightOf(variant_id),
      from,
      to,
    })),
  };
}
