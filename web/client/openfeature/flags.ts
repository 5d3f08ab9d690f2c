import type { ErrorCode, EvaluationContext, JsonValue, ResolutionDetails } from "@openfeature/core";
import type { Properties } from "../declarations/analytics.d.ts";
import { type AddressOf, createPost } from "../post.ts";

/** A flag as the server evaluates it. Without a value the code's own default holds. */
export interface Evaluation {
  readonly key: string;
  readonly reason: string;
  readonly value?: JsonValue;
  readonly variant?: string;
  readonly metadata?: Readonly<Record<string, string | number | boolean>>;
}

/** Why there is no evaluation. */
export interface Fault {
  readonly errorCode: keyof typeof ErrorCode;
  readonly errorDetails: string;
}

export type Found = Evaluation | Fault;

export const AWAY: Fault = {
  errorCode: "GENERAL",
  errorDetails: "The analytics server has not answered in time. The code's default holds.",
};

export const UNKNOWN: Fault = {
  errorCode: "FLAG_NOT_FOUND",
  errorDetails: "No A/B test has this name, or it is archived or a draft.",
};

/** One flag, all flags, or a refusal. */
type FlagAnswer = Evaluation & Fault & { readonly flags: readonly Evaluation[] };

// Relative to the addresses of the product's own endpoints.
const FLAGS = "../ofrep/v1/evaluate/flags";

const faultOf = ({ errorCode, errorDetails = "" }: Partial<Fault>): Fault =>
  errorCode ? { errorCode, errorDetails } : AWAY;

/** The two questions about flags: OpenFeature Remote Evaluation Protocol. Neither throws because of the network. */
export function createFlags(addressOf: AddressOf) {
  const post = createPost<FlagAnswer>(addressOf);
  return {
    /** One flag, which enrols the user. */
    async one(key: string, context: EvaluationContext): Promise<Found> {
      const [answer] = await post(`${FLAGS}/${encodeURIComponent(key)}`, JSON.stringify({ context }));
      const { reason } = answer;
      return reason ? { ...answer, key, reason } : faultOf(answer);
    },

    /** All flags, without enrolling the user. */
    async all(context: EvaluationContext): Promise<readonly Evaluation[] | Fault> {
      const [answer] = await post(FLAGS, JSON.stringify({ context }));
      return answer.flags ?? faultOf(answer);
    },
  };
}

export type Flags = ReturnType<typeof createFlags>;

/** The types that code may ask a flag for. */
export type FlagType = "boolean" | "string" | "number" | "object";

const isOfType = <T>(value: unknown, type: FlagType): value is T => typeof value === type && value !== null;

/** The answer to the code: the flag's value where it has one of that type, else the code's own default. */
export function resolutionOf<T>(
  found: Found,
  type: FlagType,
  fallback: T,
  codes: typeof ErrorCode,
): ResolutionDetails<T> {
  const failed = ({ errorCode, errorDetails }: Fault) => ({
    value: fallback,
    reason: "ERROR",
    errorCode: codes[errorCode],
    errorMessage: errorDetails,
  });
  if ("errorCode" in found) return failed(found);
  const { value, reason, variant, metadata: flagMetadata } = found;
  if (value === undefined) return { value: fallback, reason, flagMetadata };
  if (isOfType<T>(value, type)) return { value, reason, variant, flagMetadata };
  const errorDetails = `The flag's value is no ${type}: ask for the type that the variants' values have.`;
  return failed({ errorCode: "TYPE_MISMATCH", errorDetails });
}

/** The details of a tracked event as its properties. Dates become text, as in any JSON. */
export const propertiesOf = (details: object): Properties => JSON.parse(JSON.stringify(details));
