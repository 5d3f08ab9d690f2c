import { z } from "zod";
import type { FailureCode } from "../../domain/failure.ts";
import type { Storage } from "../../domain/storage.ts";
import type { Instant } from "../../domain/time.ts";
import type { Document } from "./document.ts";
import type { Outcome } from "./statuses.ts";

/** All that an endpoint depends on; a test states the time and the ids, and compares whole answers. */
export interface World {
  readonly storage: Storage;
  readonly now: () => Instant;
  /** A new random id, never to be guessed and never the same twice. */
  readonly newId: () => string;
  readonly version: string;
  /** Whether an answer may be sent piece by piece; where it may not, what is long is answered page by page. */
  readonly streams: boolean;
  /** A file that browsers load from here, by its name; undefined where there is none. */
  readonly file: (name: string) => Promise<Document | undefined>;
}

export type Access = "open" | "read" | "write" | "admin";
export type Method = "GET" | "POST" | "PATCH" | "DELETE";

type Replies = { readonly [outcome in Outcome]?: z.ZodType };

/** One of the declared outcomes, with a body of that outcome's shape. */
type Reply<R extends Replies> = {
  [outcome in keyof R & Outcome]: {
    readonly outcome: outcome;
    readonly body: z.infer<NonNullable<R[outcome]>>;
    /** Why it is no better one: for the log, and nobody else. */
    readonly cause?: unknown;
  };
}[keyof R & Outcome];

/** What the edge has parsed by the endpoint's own schemas, and what the caller prefers. */
export interface Request<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** `Prefer: return=minimal`. */
  readonly minimal: boolean;
  /** A signal that is given when nobody waits for the answer any more. */
  readonly gone: () => AbortSignal;
}

interface Definition<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends Replies> {
  /** The exported function's name, and the OpenAPI operation's. */
  readonly name: string;
  readonly method: Method;
  readonly path: `/${string}`;
  readonly access: Access;
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** A body may be NDJSON: it is read as the list of its lines. */
  readonly lines?: boolean;
  /** Bytes of body, after decompression, that this endpoint reads; the server's own limit where it is absent. */
  readonly maxBytes?: number;
  readonly replies: R;
  /** What this endpoint may answer besides what every one may. */
  readonly failures?: readonly FailureCode[];
  handle(request: Request<z.infer<P>, z.infer<Q>, z.infer<B>>, world: World): Promise<Reply<R>>;
}

/** An endpoint as the edge sees it: what it parses with is known, the types within are its own affair. */
export type Endpoint = Omit<Definition<z.ZodType, z.ZodType, z.ZodType, Replies>, "handle"> & {
  handle(
    request: Request<never, never, never>,
    world: World,
  ): Promise<{ outcome: Outcome; body: unknown; cause?: unknown }>;
};

/** Says nothing at run time: it lets TypeScript infer an endpoint's types from its schemas. */
export const endpoint = <
  P extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  B extends z.ZodType = z.ZodUndefined,
  const R extends Replies = Replies,
>(
  definition: Definition<P, Q, B, R>,
): Definition<P, Q, B, R> => definition;

/** The `{test_id}` of a path. */
export const TestPath = z.strictObject({
  test_id: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, "must be the id of an A/B test, a whole number from 1")
    .meta({ type: "integer", minimum: 1, pattern: undefined })
    .transform(Number),
});
