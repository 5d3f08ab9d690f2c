import { z } from "zod";
import { Name } from "../../../domain/text.ts";
import { isoTime } from "../../../domain/time.ts";
import { endpoint } from "../../contract/endpoint.ts";
import { decideEverywhere } from "../../experiments/assignments/decide-everywhere.ts";
import { type Flag, flagOf } from "../flag.ts";

// https://docs.growthbook.io/lib/js#remote-evaluation. Its local evaluation is not offered: it would hash in another way.

const EvaluationInput = z
  .looseObject({
    attributes: z.looseObject({ id: z.union([Name, z.number().transform(String)]) }),
    /** The index of a variant by the name of a test, for a developer who looks at one. */
    forcedVariations: z.unknown().optional(),
  })
  .meta({ id: "GrowthbookEvaluationInput" });

const Track = z.strictObject({
  experiment: z.strictObject({ key: z.string(), variations: z.array(z.unknown()) }),
  result: z.strictObject({
    variationId: z.int(),
    key: z.string(),
    value: z.unknown(),
    inExperiment: z.literal(true),
    hashUsed: z.literal(true),
    hashAttribute: z.literal("id"),
    hashValue: z.string(),
    featureId: z.string(),
  }),
});

const Feature = z.strictObject({
  /** Null where the code's own default holds. */
  defaultValue: z.unknown(),
  rules: z.array(z.strictObject({ force: z.unknown(), tracks: z.array(Track).optional() })).optional(),
});

const DONE = z.literal(200);
const Reply = z.strictObject({
  status: DONE,
  features: z.record(z.string(), Feature),
  dateUpdated: z.string(),
});

/** The arguments that the client passes to its tracking callback. */
function trackOf({ experiment, variant }: Flag, hashValue: string): z.infer<typeof Track>[] {
  if (variant === undefined) return [];
  const { test_name, variants } = experiment;
  const result = {
    variationId: variants.findIndex(({ id }) => id === variant.id),
    key: variant.variant_name,
    value: variant.value,
    inExperiment: true,
    hashUsed: true,
    hashAttribute: "id",
    hashValue,
    featureId: test_name,
  } as const;
  return [{ experiment: { key: test_name, variations: variants.map(({ value }) => value) }, result }];
}

/** Only a user of the experiment is reported; winners, testers and looks at a variant are not. */
function featureOf(flag: Flag, userId: string, forced: unknown): z.infer<typeof Feature> {
  const { experiment, variant, why } = flag;
  const looked = typeof forced === "number" ? experiment.variants[forced] : undefined;
  if (looked !== undefined) return { defaultValue: null, rules: [{ force: looked.value }] };
  if (variant === undefined) return { defaultValue: null };
  const tracks = why === "assigned" ? { tracks: trackOf(flag, userId) } : {};
  return { defaultValue: null, rules: [{ force: variant.value, ...tracks }] };
}

const forcedOf = (forced: unknown): ReadonlyMap<string, unknown> =>
  new Map(typeof forced === "object" && forced !== null ? Object.entries(forced) : []);

export const evaluateRemotely = endpoint({
  name: "growthbookEval",
  method: "POST",
  path: "/api/eval/{client_key}",
  access: "write",
  summary: "GrowthBook: remote evaluation of all A/B tests; enrols nobody",
  sharesItsPath: true,
  foreign: { keyOf: (_body, { client_key }) => client_key },
  params: z.strictObject({ client_key: z.string() }),
  query: z.looseObject({}),
  body: EvaluationInput,
  replies: { ok: Reply },

  async handle({ body: { attributes, forcedVariations } }, world) {
    const user_id = attributes.id;
    const forced = forcedOf(forcedVariations);
    const decisions = await decideEverywhere({ user_id }, world);
    const features = decisions.map(({ experiment, decision }) => {
      const flag = flagOf(experiment, decision);
      return [experiment.test_name, featureOf(flag, user_id, forced.get(experiment.test_name))] as const;
    });
    const dateUpdated = isoTime(world.now());
    const answer = { status: DONE.value, features: Object.fromEntries(features), dateUpdated };
    return { outcome: "ok", body: answer };
  },
});
