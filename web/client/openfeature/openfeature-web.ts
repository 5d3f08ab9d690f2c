import {
  ErrorCode,
  type EvaluationContext,
  type JsonValue,
  type Provider,
  type ResolutionDetails,
  type TrackingEventDetails,
} from "@openfeature/web-sdk";
import type { NodeOptions } from "../declarations/node.d.ts";
import type { VisitorAnalytics } from "../declarations/visitor.d.ts";
import { createLink, type LinkSender } from "../link.ts";
import { refusesTracking } from "../page.ts";
import { addresses, createPost } from "../post.ts";
import { createReport } from "../reports.ts";
import { keptId } from "../session.ts";
import { createStore } from "../store.ts";
import { inTime } from "../timer.ts";
import { createClient } from "../visitor.ts";
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
  UNKNOWN,
} from "./flags.ts";

// With the prefix of everything that the client keeps, so that an opt-out removes it.
const KEPT = "analytics.flags.";

/** The server to ask, and the sender of the link between an anonymous id and a user's own. */
interface Server {
  readonly flags: Flags;
  readonly link: LinkSender;
}

/**
 * The provider for pages. It fetches all flags at the start and when the context changes, without enrolling the visitor.
 * Reading a flag enrols them in the experiment of that name.
 */
export class AnalyticsProvider implements Provider {
  readonly metadata = { name: "analytics-server" };
  readonly runsOn = "client";
  readonly #url: string;
  readonly #timeout: number;
  readonly #store = createStore(() => localStorage);
  readonly #visitor: VisitorAnalytics;
  readonly #server: Server | undefined;
  #isLoggedIn = false;
  /** The context with the visitor's id, which is anonymous where the page gives none. */
  #asker: EvaluationContext = {};
  #flags: readonly Evaluation[] | Fault = AWAY;
  /** The server has not answered, and these are the flags of an earlier page. */
  #isStale = false;
  #enrolled = new Set<string>();

  constructor({ onRefused = createReport(), ...options }: NodeOptions) {
    const { url, key, timeout = 1_000 } = options;
    const addressOf = addresses(url, key);
    this.#url = url;
    this.#timeout = timeout;
    this.#visitor = createClient({ ...options, onRefused });
    this.#server = addressOf && {
      flags: createFlags(addressOf),
      link: createLink(this.#store, createPost(addressOf), onRefused),
    };
  }

  async initialize(context: EvaluationContext = {}): Promise<void> {
    if (!this.#server) throw new Error(`no url ${this.#url}`);
    await this.#become(context, this.#server);
  }

  async onContextChange(_before: EvaluationContext, context: EvaluationContext): Promise<void> {
    await this.initialize(context);
  }

  resolveBooleanEvaluation(key: string, fallback: boolean) {
    return this.#resolve("boolean", key, fallback);
  }

  resolveStringEvaluation(key: string, fallback: string) {
    return this.#resolve("string", key, fallback);
  }

  resolveNumberEvaluation(key: string, fallback: number) {
    return this.#resolve("number", key, fallback);
  }

  resolveObjectEvaluation<T extends JsonValue>(key: string, fallback: T) {
    return this.#resolve("object", key, fallback);
  }

  track(event_type: string, _context: EvaluationContext, details: TrackingEventDetails): void {
    this.#visitor.track(event_type, propertiesOf(details));
  }

  #resolve<T>(type: FlagType, key: string, fallback: T): ResolutionDetails<T> {
    const found = this.#find(key);
    const resolution = resolutionOf(found, type, fallback, ErrorCode);
    if (resolution.variant) void this.#enrol(key, found);
    return this.#isStale && resolution.variant ? { ...resolution, reason: "STALE" } : resolution;
  }

  #find(key: string): Found {
    if (refusesTracking(this.#store)) return { key, reason: "DISABLED" };
    if ("errorCode" in this.#flags) return this.#flags;
    return this.#flags.find((flag) => flag.key === key) ?? UNKNOWN;
  }

  /** Enrols the visitor who has been shown a variant, once; where the server is away, when the flag is read again. */
  async #enrol(key: string, found: Found): Promise<void> {
    const enrolled = this.#enrolled;
    if (!("reason" in found) || found.reason !== "SPLIT" || enrolled.has(key)) return;
    enrolled.add(key);
    const answer = await this.#server?.flags.one(key, this.#asker);
    if (!answer || "errorCode" in answer) enrolled.delete(key);
  }

  /** A user who logs in keeps the variants of the visitor they were; one who logs out becomes a new visitor. */
  async #become(context: EvaluationContext, server: Server): Promise<void> {
    if (refusesTracking(this.#store)) return;
    const { targetingKey } = context;
    const wasLoggedIn = this.#isLoggedIn;
    this.#isLoggedIn = !!targetingKey;
    if (targetingKey) this.#visitor.identify(targetingKey);
    else if (wasLoggedIn) this.#visitor.reset();
    const user = targetingKey || keptId(this.#store, "user");
    if (user !== this.#asker.targetingKey) this.#enrolled = new Set();
    const asker = { ...context, targetingKey: user };
    this.#asker = asker;
    const answer = (await inTime(this.#ask(asker, server), this.#timeout)) ?? AWAY;
    // The context may have changed again.
    if (this.#asker === asker) this.#show(answer, user, wasLoggedIn);
  }

  /** Asks nothing before the link: the server would give a user without it a variant of their own. */
  async #ask(asker: EvaluationContext, { flags, link }: Server): Promise<readonly Evaluation[] | Fault> {
    const answer = (await link.deliver()) ? await flags.all(asker) : AWAY;
    if (!("errorCode" in answer) && !refusesTracking(this.#store))
      this.#store.set(KEPT + asker.targetingKey, answer);
    return answer;
  }

  #show(answer: readonly Evaluation[] | Fault, user: string, wasLoggedIn: boolean): void {
    const own = this.#store.get<readonly Evaluation[]>(KEPT + user);
    const shown = !("errorCode" in answer) ? answer : (own ?? (wasLoggedIn ? AWAY : this.#flags));
    this.#isStale = shown !== answer;
    this.#flags = "errorCode" in shown ? answer : shown;
    if ("errorCode" in this.#flags) throw new Error(this.#flags.errorDetails);
  }
}
