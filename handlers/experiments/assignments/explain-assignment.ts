import { z } from "zod";
import { ranges, trafficBucket, variantBucket } from "../../../domain/experiments/assignment.ts";
import {
  type Experiment,
  ExperimentStatus,
  variantName,
  variantOf,
} from "../../../domain/experiments/experiment.ts";
import type { KnownAssignment } from "../../../domain/storage.ts";
import { Name } from "../../../domain/text.ts";
import { type Instant, IsoTime, isoTime } from "../../../domain/time.ts";
import { endpoint, TestPath } from "../../contract/endpoint.ts";
import { existingExperiment } from "../existing-experiment.ts";
import { decide, type Enrolment } from "./enrolment.ts";

const Explanation = z.strictObject({
  user_id: z.string(),
  test_id: z.int(),
  status: ExperimentStatus,
  variant: z.string().nullable(),
  variant_id: z.int().nullable(),
  value: z.unknown(),
  source: z.enum(["stored", "forced", "winner", "stopped", "computed", "none"]),
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

  async handle({ params, query: { user_id } }, { storage, now }) {
    const experiment = await existingExperiment(storage, params.test_id);
    const known = await storage.findAssignment(experiment.id, user_id);
    const answer = explain(experiment, user_id, known, now());
    const { variant_id } = answer;
    const shown = variant_id === null ? undefined : variantOf(experiment, variant_id);
    return {
      outcome: "ok",
      body: {
        user_id,
        test_id: experiment.id,
        status: experiment.status,
        variant: shown?.variant_name ?? null,
        value: shown?.value ?? null,
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

const WHY: Record<Extract<Enrolment, { kind: "shown" }>["reason"], string> = {
  winner: "The test is stopped: everybody is shown its winner.",
  stopped: "The test is stopped without a winner: everybody is shown the control.",
  complete: "Computed, and never stored: the test has all its users.",
  paused: "The test is paused: nobody new is enrolled.",
  not_running: "The test does not run: nobody is enrolled.",
  not_in_traffic: "The user's traffic bucket is not below the share taken in.",
  no_weight: "No variant has a weight above 0.",
  excluded: "The user's place in the exclusion group belongs to another test.",
  holdout: "The user is in the holdout, which is enrolled in nothing.",
};

/** Explains the variant that `assign` would answer. */
function explain(
  experiment: Experiment,
  user_id: string,
  known: KnownAssignment | undefined,
  now: Instant,
): Answer {
  const decision = decide(experiment, { user_id }, known, now);
  if (decision.kind === "candidate") {
    const reason = "Computed: the range that the user's bucket falls into; assigning would store it.";
    return { variant_id: decision.candidate.variant_id, source: "computed", reason, assigned_at: null };
  }
  if (decision.kind !== "shown") {
    if (known === undefined) throw new Error("a user was known who is not");
    return stored(known);
  }
  const { variant_id, reason } = decision;
  const answer = { variant_id, reason: WHY[reason], assigned_at: null };
  if (reason === "winner" || reason === "stopped") return { ...answer, source: reason };
  return { ...answer, source: variant_id === null ? "none" : "computed" };
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
