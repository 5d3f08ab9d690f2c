import { z } from "zod";
import type { Failure } from "../../../domain/failure.ts";
import { Name } from "../../../domain/text.ts";
import type { Asker } from "../../experiments/assignments/enrolment.ts";
import { attributesOf } from "../attributes.ts";
import type { Flag } from "../flag.ts";

// OpenFeature Remote Evaluation Protocol 0.3.0: https://github.com/open-feature/protocol

/** The user is the targeting key; all else in the context is free, and kept as attributes where it fits. */
export const EvaluationInput = z
  .looseObject({ context: z.looseObject({ targetingKey: Name }) })
  .meta({ id: "OfrepEvaluationInput" });

export function askerOf({ context }: z.infer<typeof EvaluationInput>): Asker {
  const { targetingKey, ...facts } = context;
  return { user_id: targetingKey, attributes: attributesOf(facts) };
}

export const Evaluation = z.strictObject({
  key: z.string(),
  /** Absent where the caller's own default holds. */
  value: z.unknown().optional(),
  reason: z.enum(["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "DEFAULT"]),
  variant: z.string().optional(),
  metadata: z.strictObject({ test_id: z.int() }),
});
type Evaluation = z.infer<typeof Evaluation>;

const REASONS: Record<Flag["why"], Evaluation["reason"]> = {
  assigned: "SPLIT",
  // All planned users are assigned: the hash decides alone.
  complete: "SPLIT",
  forced: "TARGETING_MATCH",
  winner: "STATIC",
  stopped: "STATIC",
  not_in_traffic: "DEFAULT",
  excluded: "DEFAULT",
  holdout: "DEFAULT",
  paused: "DISABLED",
  not_running: "DISABLED",
  no_weight: "DISABLED",
};

export function evaluationOf({ experiment, variant, why }: Flag): Evaluation {
  const { id: test_id, test_name: key } = experiment;
  const shown = variant && { value: variant.value, variant: variant.variant_name };
  return { key, ...shown, reason: REASONS[why], metadata: { test_id } };
}

type ErrorCode = "PARSE_ERROR" | "TARGETING_KEY_MISSING" | "INVALID_CONTEXT" | "FLAG_NOT_FOUND" | "GENERAL";

function errorCodeOf({ code, faults }: Failure): ErrorCode {
  if (code === "not_found") return "FLAG_NOT_FOUND";
  if (code !== "invalid") return "GENERAL";
  const [first] = faults;
  if (first === undefined || first.path === "") return "PARSE_ERROR";
  return first.path === "context.targetingKey" ? "TARGETING_KEY_MISSING" : "INVALID_CONTEXT";
}

function detailsOf({ message, faults }: Failure): string {
  const [first] = faults;
  return first === undefined ? message : `${first.path} ${first.message}`.trim();
}

/** A refusal in OFREP's words. Only the answer for one flag has a key. */
export const evaluationRefusal = (failure: Failure, { key }: Readonly<Record<string, string>>) => ({
  ...(key === undefined ? {} : { key }),
  errorCode: errorCodeOf(failure),
  errorDetails: detailsOf(failure),
});
