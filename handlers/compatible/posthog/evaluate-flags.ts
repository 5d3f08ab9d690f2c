import { z } from "zod";
import { Name } from "../../../domain/text.ts";
import { endpoint } from "../../contract/endpoint.ts";
import { decideEverywhere } from "../../experiments/assignments/decide-everywhere.ts";
import { type Flag, flagOf } from "../flag.ts";
import { MAX_FOREIGN_BYTES } from "../intake.ts";
import { keyOf } from "./mapping.ts";

const FlagsInput = z
  .looseObject({
    distinct_id: z.union([Name, z.number().transform(String)]),
    flag_keys_to_evaluate: z.array(z.unknown()).nullish(),
  })
  .meta({ id: "PosthogFlagsInput" });

const FlagReply = z.strictObject({
  key: z.string(),
  enabled: z.boolean(),
  variant: z.string().optional(),
  reason: z.strictObject({ code: z.string(), condition_index: z.int().nullable(), description: z.string() }),
  metadata: z.strictObject({ id: z.int(), version: z.int(), payload: z.string().nullable() }),
});

const FlagsReply = z.strictObject({
  flags: z.record(z.string(), FlagReply),
  featureFlags: z.record(z.string(), z.union([z.string(), z.literal(false)])),
  featureFlagPayloads: z.record(z.string(), z.string()),
  errorsWhileComputingFlags: z.literal(false),
  requestId: z.string(),
});

/** A flag as newer clients read it; the payload is the variant's value as JSON text. */
function flagReply({ experiment: { id, test_name: key }, variant, why }: Flag): z.infer<typeof FlagReply> {
  const payload = variant === undefined ? null : JSON.stringify(variant.value);
  const metadata = { id, version: 1, payload };
  if (variant === undefined) {
    const reason = { code: "no_condition_match", condition_index: null, description: why };
    return { key, enabled: false, reason, metadata };
  }
  const reason = { code: "condition_match", condition_index: 0, description: why };
  return { key, enabled: true, variant: variant.variant_name, reason, metadata };
}

/** Both forms in one answer: clients of each age read theirs. */
function answerOf(flags: readonly Flag[], requestId: string): z.infer<typeof FlagsReply> {
  const replies = flags.map(flagReply);
  const byKey = <Value>(read: (reply: (typeof replies)[number]) => Value) =>
    Object.fromEntries(replies.map((reply) => [reply.key, read(reply)]));
  const payloads = replies.flatMap(({ key, metadata }) =>
    metadata.payload === null ? [] : [[key, metadata.payload]],
  );
  return {
    flags: byKey((reply) => reply),
    featureFlags: byKey(({ variant }) => variant ?? (false as const)),
    featureFlagPayloads: Object.fromEntries(payloads),
    errorsWhileComputingFlags: false,
    requestId,
  };
}

const evaluate = (name: string, path: `/${string}`) =>
  endpoint({
    name,
    method: "POST",
    path,
    access: "write",
    summary: "PostHog: what the user has or would get in every A/B test; enrols nobody",
    sharesItsPath: true,
    foreign: { keyOf, isPacked: true },
    query: z.looseObject({}),
    body: FlagsInput,
    maxBytes: MAX_FOREIGN_BYTES,
    replies: { ok: FlagsReply },

    // The user is enrolled when the client reports `$feature_flag_called`.
    async handle({ body: { distinct_id, flag_keys_to_evaluate: wanted } }, world) {
      const decisions = await decideEverywhere({ user_id: distinct_id }, world);
      const flags = decisions
        .filter(({ experiment }) => wanted == null || wanted.includes(experiment.test_name))
        .map(({ experiment, decision }) => flagOf(experiment, decision));
      return { outcome: "ok", body: answerOf(flags, world.newId()) };
    },
  });

export const posthogFlags = evaluate("posthogFlags", "/flags");
export const posthogDecide = evaluate("posthogDecide", "/decide");
