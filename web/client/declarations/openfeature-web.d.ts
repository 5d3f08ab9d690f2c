import type {
  EvaluationContext,
  JsonValue,
  Provider,
  ResolutionDetails,
  TrackingEventDetails,
} from "@openfeature/web-sdk";
import type { NodeOptions } from "./node.js";

export type { NodeOptions } from "./node.js";

/**
 * The OpenFeature provider for pages. A flag is an experiment by its name, and its value is the variant's. All flags are
 * fetched in one request at the start and when the context changes, which enrols the visitor in none; reading a flag enrols
 * them in that experiment only, once.
 *
 * The visitor is the context's `targetingKey`, or without one an anonymous id that the browser keeps. A `targetingKey` that
 * is set later is a login: both ids are one person, and the variants stay. Removing it is a logout.
 *
 * While the server is away, the flags of an earlier page hold, with the reason `STALE`. Where there are none, `initialize`
 * fails within `timeout`, and the code's defaults hold. A visitor with Global Privacy Control gets the defaults, with the
 * reason `DISABLED`, and nothing is sent or kept.
 *
 * @example
 * await OpenFeature.setProviderAndWait(new AnalyticsProvider({ url: "https://analytics.example.com", key: "<write key>" }));
 * const colour = OpenFeature.getClient().getStringValue("button_color", "red");
 */
export declare class AnalyticsProvider implements Provider {
  readonly metadata: { readonly name: string };
  readonly runsOn: "client";
  constructor(options: NodeOptions);
  /** Fetches all flags. Fails where there are none within `timeout`, or where `url` is no address. */
  initialize(context?: EvaluationContext): Promise<void>;
  onContextChange(before: EvaluationContext, context: EvaluationContext): Promise<void>;
  resolveBooleanEvaluation(key: string, fallback: boolean): ResolutionDetails<boolean>;
  resolveStringEvaluation(key: string, fallback: string): ResolutionDetails<string>;
  resolveNumberEvaluation(key: string, fallback: number): ResolutionDetails<number>;
  resolveObjectEvaluation<T extends JsonValue>(key: string, fallback: T): ResolutionDetails<T>;
  /** Records an event of the visitor; the details are its properties. */
  track(event_type: string, context: EvaluationContext, details: TrackingEventDetails): void;
}
