import { z } from "zod";
import type { Checked } from "../failure.ts";
import { Name } from "../text.ts";
import { EARLIEST, type Instant, LATEST, Timestamp } from "../time.ts";
import { DAY, edgesOf, endOfDate, isZone, startOfDate } from "./buckets.ts";

export const Zone = z
  .string()
  .max(100)
  .refine(isZone, "must be the name of a time zone, as Europe/Berlin or UTC")
  .default("UTC");

/** What is wrong with a value of a URL; a parameter that is there twice is wrong whatever its values are. */
const onceOr =
  (message: string) =>
  ({ input }: { readonly input?: unknown }): string =>
    Array.isArray(input) ? "must be given once" : message;

const BOUND = "must be a date, as 2026-11-22, or a time with its zone, as 2026-11-22T10:00:00.000Z";
// In a URL a plus sign is a space: the most common way to lose the zone of a time that had one.
const PLUS = /T.* \d\d:?\d\d$/;

function boundFault(issue: { readonly input?: unknown }): string {
  const lostPlus = typeof issue.input === "string" && PLUS.test(issue.input);
  return onceOr(lostPlus ? `${BOUND}; write + as %2B in a URL` : BOUND)(issue);
}

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
  { error: boundFault },
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

// The first and the last day of all years begin and end in other ones where clocks differ from UTC.
const startOf = (date: string, zone: string): Instant => Math.max(EARLIEST, startOfDate(date, zone));
const endOf = (date: string, zone: string): Instant => Math.min(LATEST, endOfDate(date, zone));

/** The range that is asked about, or what is impossible about it. Until now where no end is given. */
export function rangeOf({ from, to, timezone }: RangeInput, now: Instant): Checked<TimeRange> {
  const end = to === undefined ? now + 1 : "date" in to ? endOf(to.date, timezone) : to.instant;
  const start =
    from === undefined
      ? Math.max(EARLIEST, daysBefore(end, timezone))
      : "date" in from
        ? startOf(from.date, timezone)
        : from.instant;
  if (start < end) return { value: { from: start, to: end } };
  const ahead = "is still to come: a range without an end, to, ends now";
  const message = to === undefined ? ahead : "must be before the end of the range, to";
  return { faults: [{ path: "from", message }] };
}

const MAX_TYPES = 20;

// A refinement, for a union keeps what such a one says, and of a bound only that nothing fitted.
const SomeNames = z
  .array(Name)
  .refine((names) => names.length <= MAX_TYPES, `must be named at most ${MAX_TYPES} times`)
  .meta({ maxItems: MAX_TYPES });

/** Named once, several times, or not at all, which means all types. */
export const EventTypes = z
  .union([Name, SomeNames], { error: "must be a text; several are named as event_type=a&event_type=b" })
  .transform((names) => [...new Set([names].flat())])
  .default([]);

/** A whole number of a URL, in plain digits: 1e2 and 0x10 are numbers to JavaScript alone. */
export function wholeNumber(least: number, most: number) {
  const error = onceOr(`must be a whole number from ${least} to ${most}`);
  return z
    .string({ error })
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most, { error })
    .meta({ type: "integer", minimum: least, maximum: most })
    .pipe(z.coerce.number());
}

export const Flag = z
  .enum(["0", "1"], { error: "must be 0 or 1" })
  .default("0")
  .transform((flag) => flag === "1");
