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
  /** Undefined where no expired event that the question is about has left a count. */
  readonly countsOnly?: CountsOnly | undefined;
}

/** Expired events of which only counts are kept. Answers about the number of events include them, others lack them. */
export interface CountsOnly {
  /** They all happened before this time. */
  readonly before: Instant;
  /** False where some may belong to the bucket before or after, because only the quarter of an hour is known. */
  readonly isExact: boolean;
}

/** The expired events of several answers. */
export function joinedCountsOnly(answers: readonly Answered<unknown>[]): CountsOnly | undefined {
  const all = answers.flatMap(({ countsOnly }) => countsOnly ?? []);
  if (all.length === 0) return undefined;
  return {
    before: Math.max(...all.map(({ before }) => before)),
    isExact: all.every(({ isExact }) => isExact),
  };
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
  exact: z.boolean().meta({
    description:
      "False only where events have expired and the range, or a time zone, cuts a quarter of an hour of which only the number of events is kept.",
  }),
  data_through: IsoTime,
  elapsed_ms: z.number(),
  counts_only_before: IsoTime.optional().meta({
    description:
      "Of some events before this time only their number is kept. It is in trends of all events and in the catalogue; other answers lack these events.",
  }),
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

/** The `meta` of a report. Answers include all events that were stored by `startedAt`. */
export function metaOf(answered: Answered<unknown>, startedAt: Instant, now: Instant): Meta {
  return {
    source: answered.source,
    exact: answered.countsOnly?.isExact ?? true,
    data_through: isoTime(startedAt),
    elapsed_ms: now - startedAt,
    ...(answered.countsOnly && { counts_only_before: isoTime(answered.countsOnly.before) }),
    ...(answered.recomputed === undefined ? {} : { verification: verificationOf(answered) }),
  };
}
