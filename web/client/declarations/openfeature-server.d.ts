import type {
  EvaluationContext,
  JsonValue,
  Provider,
  ResolutionDetails,
  TrackingEventDetails,
} from "@openfeature/server-sdk";
import type { NodeOptions } from "./node.js";

export type { NodeOptions } from "./node.js";

/**
 * The OpenFeature provider for backends. A flag is an experiment by its name, and its value is the variant's. The
 * context's `targetingKey` is the user's id. Asking for a flag enrols the user in that experiment only.
 *
 * An answer is given again for a minute without asking, and with the reason `STALE` while the server is away. Error codes:
 * `FLAG_NOT_FOUND`, `TYPE_MISMATCH`, `TARGETING_KEY_MISSING`, `INVALID_CONTEXT`, and `GENERAL` where the server refuses or
 * does not answer within `timeout`.
 *
 * @example
 * await OpenFeature.setProviderAndWait(new AnalyticsProvider({ url: "https://analytics.example.com", key: "<write key>" }));
 * const colour = await OpenFeature.getClient().getStringValue("button_color", "red", { targetingKey: "user123" });
 */
export declare class AnalyticsProvider implements Provider {
  readonly metadata: { readonly name: string };
  readonly runsOn: "server";
  constructor(options: NodeOptions);
  /** Fails where `url` is no address. It does not wait for the server. */
  initialize(): Promise<void>;
  /** Sends the tracked events that are still queued. */
  onClose(): Promise<void>;
  resolveBooleanEvaluation(
    key: string,
    fallback: boolean,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<boolean>>;
  resolveStringEvaluation(
    key: string,
    fallback: string,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<string>>;
  resolveNumberEvaluation(
    key: string,
    fallback: number,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<number>>;
  resolveObjectEvaluation<T extends JsonValue>(
    key: string,
    fallback: T,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<T>>;
  /** Records an event of the user; the details are its properties. */
  track(event_type: string, context: EvaluationContext, details: TrackingEventDetails): void;
}
