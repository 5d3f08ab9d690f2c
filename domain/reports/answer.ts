import { z } from "zod";
import { Failure } from "../failure.ts";
import { type Instant, IsoTime, isoTime } from "../time.ts";

/** The source of an answer: the rollups that ingest maintains, or the raw events. */
export type Source = "rollup" | "raw";

/** Storage's answer to a report. */
export interface Answered<T> {
  readonly source: Source;
  readonly value: T;
  /** The same answer computed from raw events as of the same moment, where `verify` asks for it. */
  readonly recomputed?: T | undefined;
}

/** Options of a report. */
export interface Asking {
  /** Also computes the answer from raw events. */
  readonly verify?: boolean | undefined;
  /** Aborted when the caller has gone; the report then stops. */
  readonly gone?: AbortSignal | undefined;
  /** What the caller can ask instead of a report that takes too long, by the parameters that its request has. */
  readonly instead?: string | undefined;
}

const LATER = "Ask again later, or have ANALYTICS_REPORT_SECONDS raised.";

/** The error of a report that exceeds its time limit. */
export const tooLong = (limitMs: number, instead: string = LATER): Failure =>
  new Failure(
    "unavailable",
    `This took longer than the ${limitMs / 1000} s that a report may take. ${instead}`,
    { retryAfterSeconds: 60 },
  );

export const nobodyWaits = (): Failure =>
  new Failure("unavailable", "The report was stopped because its caller has gone.", { retryAfterSeconds: 1 });

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

/** The `meta` of a report. Answers are exact, and include all events that were stored by `startedAt`. */
export function metaOf(answered: Answered<unknown>, startedAt: Instant, now: Instant): Meta {
  return {
    source: answered.source,
    exact: true,
    data_through: isoTime(startedAt),
    elapsed_ms: now - startedAt,
    ...(answered.recomputed === undefined ? {} : { verification: verificationOf(answered) }),
  };
}
