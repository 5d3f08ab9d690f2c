import { z } from "zod";
import { Failure } from "../failure.ts";
import { type Instant, IsoTime, isoTime } from "../time.ts";

/** What an answer was made of: what ingest maintains, or the events themselves. */
export type Source = "rollup" | "raw";

/** What storage answers to a question. */
export interface Answered<T> {
  readonly source: Source;
  readonly value: T;
  /** The same, made of the events themselves as of the same moment; where it was asked for. */
  readonly recomputed?: T | undefined;
}

/** How a question is to be answered. */
export interface Asking {
  /** Also make the answer once more of the events themselves. */
  readonly verify?: boolean | undefined;
  /** Nobody waits for the answer any more once this is given. */
  readonly gone?: AbortSignal | undefined;
}

const NARROW =
  "Ask for a shorter time, for fewer or rarer event types, or without where, breakdown and verify.";

/** What who asked is told whose question has taken all the time there is. */
export const tooLong = (limitMs: number): Failure =>
  new Failure(
    "unavailable",
    `This took longer than the ${limitMs / 1000} s that a report may take. ${NARROW}`,
    { retryAfterSeconds: 60 },
  );

export const nobodyWaits = (): Failure =>
  new Failure("unavailable", "Nobody waited for this any more.", { retryAfterSeconds: 1 });

const Verification = z.strictObject({
  ok: z.boolean(),
  differences: z.array(z.strictObject({ path: z.string(), answered: z.unknown(), recomputed: z.unknown() })),
});
type Verification = z.infer<typeof Verification>;

export const Meta = z.strictObject({
  source: z.enum(["rollup", "raw"]),
  exact: z.literal(true),
  data_through: IsoTime,
  elapsed_ms: z.number(),
  verification: Verification.optional(),
});
export type Meta = z.infer<typeof Meta>;

const MAX_DIFFERENCES = 20;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

function* differences(
  path: string,
  answered: unknown,
  recomputed: unknown,
): Generator<Verification["differences"][number]> {
  if (isObject(answered) && isObject(recomputed)) {
    for (const key of new Set([...Object.keys(answered), ...Object.keys(recomputed)])) {
      yield* differences(path === "" ? key : `${path}.${key}`, answered[key], recomputed[key]);
    }
  } else if (!Object.is(answered, recomputed)) {
    yield { path, answered, recomputed };
  }
}

function verificationOf({ value, recomputed }: Answered<unknown>): Verification {
  const found: Verification["differences"] = [];
  for (const difference of differences("", value, recomputed)) {
    if (found.push(difference) === MAX_DIFFERENCES) break;
  }
  return { ok: found.length === 0, differences: found };
}

/** What is said about every answer. What is asked about is exact, and includes all that was stored by `startedAt`. */
export function metaOf(answered: Answered<unknown>, startedAt: Instant, now: Instant): Meta {
  return {
    source: answered.source,
    exact: true,
    data_through: isoTime(startedAt),
    elapsed_ms: now - startedAt,
    ...(answered.recomputed === undefined ? {} : { verification: verificationOf(answered) }),
  };
}
