import { z } from "zod";
import type { Checked, Fault } from "../failure.ts";
import { Name } from "../text.ts";
import { DAY, EARLIEST, type Instant, LATEST, readTime } from "../time.ts";
import { edgesOf, endOfDate, isDateOf, isZone, startOfDate } from "./buckets.ts";

export const Zone = z
  .string()
  .max(100)
  .refine(isZone, "must be the name of a time zone, as Europe/Berlin or UTC")
  .default("UTC")
  .meta({ description: "In which days, weeks and months are cut, such as Europe/Berlin." });

/** The fault of a query parameter. A parameter that is given twice has this one fault, whatever its values are. */
const onceOr =
  (message: string) =>
  ({ input }: { readonly input?: unknown }): string =>
    Array.isArray(input) ? "must be given once" : message;

const BOUND = "must be a date, as 2026-11-22, or a time with its zone, as 2026-11-22T10:00:00.000Z";
// In a URL a plus sign is a space. It is the most common way to lose the zone of a time.
const PLUS = /T.* \d\d(?::?\d\d)?$/;

/** One end of a range: a local date, or an instant. */
export type Bound = { readonly date: string } | { readonly instant: Instant };

const DATE = /^\d{4}-\d\d-\d\d$/;
const DIGITS = /^-?\d{1,20}$/;

function readBound(value: string | number): Bound | { readonly fault: string } {
  if (typeof value === "string" && DATE.test(value)) {
    return z.iso.date().safeParse(value).success ? { date: value } : { fault: "is no day of the calendar" };
  }
  const time = readTime(typeof value === "string" && DIGITS.test(value) ? Number(value) : value);
  if (typeof time === "number") return { instant: time };
  if (typeof value !== "string" || DIGITS.test(value)) return time;
  return { fault: PLUS.test(value) ? `${BOUND}; write + as %2B in a URL` : BOUND };
}

/** A date means the whole local day: its start as `from`, its end as `to`. */
export const Bound = z
  .union([z.string(), z.number()], { error: onceOr(BOUND) })
  .transform((value, context): Bound => {
    const bound = readBound(value);
    if (!("fault" in bound)) return bound;
    context.addIssue({ code: "custom", message: bound.fault });
    return z.NEVER;
  })
  .meta({
    description:
      "A date of the time zone, such as 2026-11-22: its whole day is included. Or a time with its zone, which the range includes as its start and excludes as its end.",
  });

/** The fields of a query that choose its time range. */
export const rangeShape = { from: Bound.optional(), to: Bound.optional(), timezone: Zone };

export interface RangeInput {
  readonly from?: Bound | undefined;
  readonly to?: Bound | undefined;
  readonly timezone: string;
}

/** From the first instant, included, to the second, excluded. */
export interface TimeRange {
  readonly from: Instant;
  readonly to: Instant;
}

/** Without a range a report is about the last 30 days, today included. */
const DEFAULT_DAYS = 30;

function daysBefore(to: Instant, zone: string): Instant {
  const [start] = edgesOf("day", zone, to - 1, to, 2) ?? [];
  const [first] =
    edgesOf("day", zone, (start ?? to) - (DEFAULT_DAYS - 1.5) * DAY, to, DEFAULT_DAYS + 2) ?? [];
  return first ?? to - DEFAULT_DAYS * DAY;
}

// The first and the last day of all years begin and end in other years where clocks differ from UTC.
const startOf = (bound: Bound, zone: string): Instant =>
  "date" in bound ? Math.max(EARLIEST, startOfDate(bound.date, zone)) : bound.instant;
const endOf = (bound: Bound, zone: string): Instant =>
  "date" in bound ? Math.min(LATEST, endOfDate(bound.date, zone)) : bound.instant;

/** The name of the bound that is a date which the zone's clocks have skipped; undefined where neither is. */
const skipped = ({ from, to, timezone }: RangeInput): "from" | "to" | undefined =>
  (["from", "to"] as const).find((name) => {
    const bound = { from, to }[name];
    return bound !== undefined && "date" in bound && !isDateOf(bound.date, timezone);
  });

function emptyRange(input: RangeInput): Fault {
  const path = skipped(input);
  if (path !== undefined) {
    return {
      path,
      message: `is a date that clocks in ${input.timezone} have skipped: ask for the day before or after`,
    };
  }
  const ahead = "is still to come: a range without an end, to, ends now";
  return {
    path: "from",
    message: input.to === undefined ? ahead : "must be before the end of the range, to",
  };
}

/** The range of a question, or the reason why it is empty. It ends now where no end is given. */
export function rangeOf(input: RangeInput, now: Instant): Checked<TimeRange> {
  const { from, to, timezone } = input;
  const end = to === undefined ? now + 1 : endOf(to, timezone);
  const start = from === undefined ? Math.max(EARLIEST, daysBefore(end, timezone)) : startOf(from, timezone);
  return start < end ? { value: { from: start, to: end } } : { faults: [emptyRange(input)] };
}

const MAX_TYPES = 20;

// A refinement and not a bound: a union keeps its message.
const SomeNames = z
  .array(Name)
  .refine((names) => names.length <= MAX_TYPES, `must be named at most ${MAX_TYPES} times`)
  .meta({ maxItems: MAX_TYPES });

/** Event types of a query. The parameter may be given several times; without it all types are meant. */
export const EventTypes = z
  .union([Name, SomeNames], { error: "must be a text; several are named as event_type=a&event_type=b" })
  .transform((names) => [...new Set([names].flat())])
  .default([]);

/** A whole number in a URL, in plain digits: 1e2 and 0x10 are numbers in JavaScript only. */
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
