import {
  ErrorCode,
  type EvaluationContext,
  type JsonValue,
  type Provider,
  type ResolutionDetails,
  type TrackingEventDetails,
} from "@openfeature/server-sdk";
import type { NodeClient, NodeOptions } from "../declarations/node.d.ts";
import { createClient } from "../node.ts";
import { addresses } from "../post.ts";
import { createRecent } from "../recent.ts";
import { inTime } from "../timer.ts";
import {
  AWAY,
  createFlags,
  type Evaluation,
  type Fault,
  type Flags,
  type FlagType,
  type Found,
  propertiesOf,
  resolutionOf,
} from "./flags.ts";

// How long an answer is given again without asking.
const FRESH = 60_000;
const MAX_KNOWN = 100_000;

const NO_USER: Fault = {
  errorCode: "TARGETING_KEY_MISSING",
  errorDetails: "Give the user's id as targetingKey in the evaluation context.",
};

interface Known {
  readonly evaluation: Evaluation;
  readonly until: number;
}

/** The provider for backends. Asking for a flag enrols the user in the experiment of that name. */
export class AnalyticsProvider implements Provider {
  readonly metadata = { name: "analytics-server" };
  readonly runsOn = "server";
  readonly #url: string;
  readonly #timeout: number;
  readonly #client: NodeClient;
  readonly #flags: Flags | undefined;
  readonly #known = createRecent<Known>(MAX_KNOWN);

  constructor(options: NodeOptions) {
    const { url, key, timeout = 1_000 } = options;
    const addressOf = addresses(url, key);
    this.#url = url;
    this.#timeout = timeout;
    this.#client = createClient(options);
    this.#flags = addressOf && createFlags(addressOf);
  }

  async initialize(): Promise<void> {
    if (!this.#flags) throw new Error(`no url ${this.#url}`);
  }

  async onClose(): Promise<void> {
    await this.#client.flush();
  }

  resolveBooleanEvaluation(key: string, fallback: boolean, context: EvaluationContext) {
    return this.#resolve("boolean", key, fallback, context);
  }

  resolveStringEvaluation(key: string, fallback: string, context: EvaluationContext) {
    return this.#resolve("string", key, fallback, context);
  }

  resolveNumberEvaluation(key: string, fallback: number, context: EvaluationContext) {
    return this.#resolve("number", key, fallback, context);
  }

  resolveObjectEvaluation<T extends JsonValue>(key: string, fallback: T, context: EvaluationContext) {
    return this.#resolve("object", key, fallback, context);
  }

  track(event_type: string, { targetingKey = "" }: EvaluationContext, details: TrackingEventDetails): void {
    this.#client.forUser(targetingKey).track(event_type, propertiesOf(details));
  }

  async #resolve<T>(
    type: FlagType,
    key: string,
    fallback: T,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<T>> {
    const { targetingKey } = context;
    const found = targetingKey ? await this.#find(targetingKey, key, context) : NO_USER;
    return resolutionOf(found, type, fallback, ErrorCode);
  }

  /** Asks the server, and answers what it said before where it does not answer: a user keeps their variant. */
  async #find(user: string, key: string, context: EvaluationContext): Promise<Found> {
    const place = JSON.stringify([user, key]);
    const known = this.#known.get(place);
    if (known && Date.now() < known.until) return known.evaluation;
    const asked = this.#ask(place, key, context);
    const found = (await inTime(asked, this.#timeout)) ?? AWAY;
    if (!known || !("errorCode" in found) || found.errorCode !== "GENERAL") return found;
    return this.#keep(place, { ...known.evaluation, reason: "STALE" });
  }

  /** An answer that comes too late for this question is there for the next. */
  async #ask(place: string, key: string, context: EvaluationContext): Promise<Found> {
    const found = (await this.#flags?.one(key, context)) ?? AWAY;
    return "errorCode" in found ? found : this.#keep(place, found);
  }

  #keep(place: string, evaluation: Evaluation): Evaluation {
    this.#known.set(place, { evaluation, until: Date.now() + FRESH });
    return evaluation;
  }
}
