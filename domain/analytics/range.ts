import { z } from "zod";
import type { Checked } from "../failure.ts";
import { Name } from "../text.ts";
import { type Instant, Timestamp } from "../time.ts";
import { DAY, edgesOf, endOfDate, isZone, startOfDate } from "./buckets.ts";

export const Zone = z
  .string()
  .max(100)
  .refine(isZone, "must be the name of a time zone, as Europe/Berlin or UTC")
  .default("UTC");

const BOUND = "must be a date, as 2026-11-22, or a time with its zone, as 2026-11-22T10:00:00.000Z";

/** A date means the whole local day: its start as `from`, its end as `to`. */
export const Bound = z.union(
  [
    z.iso.date().transform((date) => ({ date })),
    z
      .string()
      .regex(/^-?\d{1,15}$/)
      .transform((text): string | number => Number(text))
      .pipe(Timestamp)
      .transform((instant) => ({ instant })),
    Timestamp.transform((instant) => ({ instant })),
  ],
  { error: BOUND },
);
export type Bound = z.infer<typeof Bound>;

/** What a question about a time range may say of it. */
export const rangeShape = { from: Bound.optional(), to: Bound.optional(), timezone: Zone };

export interface RangeInput {
  readonly from?: Bound | undefined;
  readonly to?: Bound | undefined;
  readonly timezone: string;
}

/** From the first instant on until just before the second. */
export interface TimeRange {
  readonly from: Instant;
  readonly to: Instant;
}

/** The last 30 days, today included, where nothing is said. */
const DEFAULT_DAYS = 30;

function daysBefore(to: Instant, zone: string): Instant {
  const [start] = edgesOf("day", zone, to - 1, to, 2) ?? [];
  const [first] =
    edgesOf("day", zone, (start ?? to) - (DEFAULT_DAYS - 1.5) * DAY, to, DEFAULT_DAYS + 2) ?? [];
  return first ?? to - DEFAULT_DAYS * DAY;
}

/** The range that is asked about, or what is impossible about it. Until now where no end is given. */
export function rangeOf({ from, to, timezone }: RangeInput, now: Instant): Checked<TimeRange> {
  const end = to === undefined ? now + 1 : "date" in to ? endOfDate(to.date, timezone) : to.instant;
  const start =
    from === undefined
      ? daysBefore(end, timezone)
      : "date" in from
        ? startOfDate(from.date, timezone)
        : from.instant;
  if (start >= end) return { faults: [{ path: "from", message: "must be before the end of the range, to" }] };
  return { value: { from: start, to: end } };
}

const MAX_TYPES = 20;

/** Named once, several times, or not at all, which means all types. */
export const EventTypes = z
  .union([Name.transform((name) => [name]), z.array(Name).max(MAX_TYPES, `must be at most ${MAX_TYPES}`)])
  .transform((names) => [...new Set(names)])
  .default([]);

export const Flag = z
  .enum(["0", "1"], { error: "must be 0 or 1" })
  .default("0")
  .transform((flag) => flag === "1");
