import { z } from "zod";
import type { Browser } from "../../domain/events/page.ts";
import type { PreparedResults } from "../../domain/experiments/results/prepared-results.ts";
import type { Failure, FailureCode } from "../../domain/failure.ts";
import type { Storage } from "../../domain/storage.ts";
import type { Instant } from "../../domain/time.ts";
import { hasOnly, type UsualForm } from "../../domain/usual.ts";
import type { Activity } from "./activity/activity.ts";

/** Figures of the process that the server runs in. */
export interface ProcessFigures {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly startedAt: Instant;
  readonly eventLoopActiveSeconds: number;
}

/** Everything an endpoint depends on. A test sets the time and the ids, so it can compare whole answers. */
export interface World {
  readonly storage: Storage;
  /** Results that were computed before. */
  readonly prepared: PreparedResults;
  readonly now: () => Instant;
  /** A new random id: unique, and not guessable. */
  readonly newId: () => string;
  /** A new secret of 256 random bits, in letters that a link can hold. */
  readonly newSecret: () => string;
  /** The version of this server. */
  readonly version: string;
  /** Counters of this process, which the edge and the endpoints increase. */
  readonly activity: Activity;
  readonly processFigures: () => ProcessFigures;
}

/** `share`: for the secrets of share links alone. */
export type Access = "open" | "read" | "write" | "admin" | "share";
export type Method = "GET" | "POST" | "PATCH" | "DELETE";

/**
 * The result of a request. An adapter translates it for its callers, HTTP into a status. `accepted` and `deleted` have no
 * body. `refused` and `unknown` are for formats whose refusals quote the request; all others throw a `Failure`.
 */
export type Outcome =
  | "ok"
  | "created"
  | "accepted"
  | "partial"
  | "deleted"
  | "refused"
  | "unknown"
  | "unavailable";

type Replies = { readonly [outcome in Outcome]?: z.ZodType };

/** One of the declared outcomes, with a body of the shape declared for it. */
type Reply<R extends Replies> = {
  [outcome in keyof R & Outcome]: {
    readonly outcome: outcome;
    readonly body: z.infer<NonNullable<R[outcome]>>;
    /** The body as JSON, where it was made before. */
    readonly json?: string;
    /** The error behind a degraded outcome. It is logged and never sent. */
    readonly cause?: unknown;
  };
}[keyof R & Outcome];

/** The input of an endpoint, parsed by its own schemas, and the preferences of the caller. */
export interface Request<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** The caller wants a batch's answer to list only the rejected items. */
  readonly minimal: boolean;
  /** A signal that is aborted when the caller no longer waits for the answer. */
  readonly gone: () => AbortSignal;
  /** Facts about the page's browser, for page views; undefined where no browser sent the request. */
  readonly browser: () => Promise<Browser | undefined>;
  /** An id for a visitor who has none, which is another one each day. */
  readonly visitor: () => string;
  /** The secret of the share link that the caller came with; undefined for endpoints of another access. */
  readonly secret: string | undefined;
  /** The address of this server as the caller wrote it. */
  readonly reachedAt: () => { readonly host: string; readonly scheme: string };
}

/** The ways in which clients of another product differ from our own. */
export interface Foreign {
  /** The body of a refusal. Default: a problem document, as our own endpoints answer. */
  readonly refusal?: (failure: Failure, params: Readonly<Record<string, string>>) => unknown;
  /**
   * Attributes may be sent in headers, under names with this prefix; the body is then their `data`. With a marker they are
   * sent so only where the header of that name is there, and the body holds them otherwise.
   */
  readonly attributes?: { readonly prefix: string; readonly marker?: string };
  /** Its clients compress bodies without saying so, or send them in base64 as a field of a form. */
  readonly isPacked?: true;
  /** The access key that a body or a path carries; undefined where it has none. The body is any JSON. */
  readonly keyOf?: (body: unknown, params: Readonly<Record<string, string>>) => string | undefined;
}

interface Definition<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends Replies> {
  /** Names the function in `serverless.yml`, the OpenAPI operation and the log line. */
  readonly name: string;
  readonly method: Method;
  readonly path: `/${string}`;
  readonly access: Access;
  readonly summary: string;
  /** Callers may ask as often as they like, whatever the rate limit. */
  readonly unlimited?: true;
  /** Other programs use the same path: a server that mounts this one decides whether such a request is for it. */
  readonly sharesItsPath?: true;
  /** A client that has the same answer already may be told so instead of being sent it again. */
  readonly isRevalidated?: true;
  /** The format is another product's, and so are its answers to what it refuses. */
  readonly foreign?: Foreign;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Tried before the schemas, for endpoints that are called often. */
  readonly usual?: { readonly params?: UsualForm<z.infer<P>>; readonly body?: UsualForm<z.infer<B>> };
  /** The body may also be sent as lines of JSON, which are parsed as a list. */
  readonly lines?: boolean;
  /** The largest body in bytes that this endpoint reads. Default: the server's own limit. */
  readonly maxBytes?: number;
  readonly replies: R;
  /** Failures of this endpoint, in addition to those that any endpoint may have. */
  readonly failures?: readonly FailureCode[];
  handle(request: Request<z.infer<P>, z.infer<Q>, z.infer<B>>, world: World): Promise<Reply<R>>;
}

/** An endpoint without its inferred types, as an adapter holds all of them in one list. */
export type Endpoint = Omit<Definition<z.ZodType, z.ZodType, z.ZodType, Replies>, "handle"> & {
  handle(
    request: Request<never, never, never>,
    world: World,
  ): Promise<{ outcome: Outcome; body: unknown; json?: string; cause?: unknown }>;
};

/** Returns its argument. It exists so that TypeScript infers an endpoint's types from its schemas. */
export const endpoint = <
  P extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  B extends z.ZodType = z.ZodUndefined,
  const R extends Replies = Replies,
>(
  definition: Definition<P, Q, B, R>,
): Definition<P, Q, B, R> => definition;

const TEST_ID = /^[1-9]\d{0,14}$/;

/** The `{test_id}` of a path. */
export const TestPath = z.strictObject({
  test_id: z
    .string()
    .regex(TEST_ID, "must be the id of an A/B test, a whole number from 1")
    .meta({ type: "integer", minimum: 1, pattern: undefined })
    .transform(Number),
});

const TEST_PATH_FIELDS = new Set(Object.keys(TestPath.shape));

/** Every valid path. */
export const usualTestPath: UsualForm<z.infer<typeof TestPath>> = (params) => {
  const test_id = hasOnly(TEST_PATH_FIELDS, params) ? params.test_id : undefined;
  return typeof test_id === "string" && TEST_ID.test(test_id) ? { test_id: Number(test_id) } : undefined;
};
