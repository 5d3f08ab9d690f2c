import { Temporal } from "temporal-polyfill";
import { z } from "zod";
import { HOUR, type Instant } from "../time.ts";

export const Interval = z.enum(["hour", "day", "week", "month"]);
export type Interval = z.infer<typeof Interval>;

export const DAY = 24 * HOUR;

/** A time during which clocks of a zone go evenly: local time is UTC plus `offset`. */
interface Stretch {
  readonly start: Instant;
  readonly end: Instant;
  readonly offset: number;
}

const zoned = (instant: Instant, zone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone);

/** Whether this names a zone of the IANA data base, or UTC. */
export function isZone(name: string): boolean {
  try {
    // An offset such as +02:00 would be accepted too, and would be wrong for half of the year.
    return /^[A-Za-z]/.test(name) && zoned(0, name) !== undefined;
  } catch {
    return false;
  }
}

/** The stretches of a zone that cover the time, oldest first; the first and the last reach beyond it. */
function stretchesOf(zone: string, from: Instant, to: Instant): Stretch[] {
  const stretches: Stretch[] = [];
  let at = zoned(from, zone);
  let start = Number.NEGATIVE_INFINITY;
  for (;;) {
    const next = at.getTimeZoneTransition("next");
    const offset = at.offsetNanoseconds / 1_000_000;
    const end = next === null ? Number.POSITIVE_INFINITY : next.epochMilliseconds;
    stretches.push({ start, end, offset });
    if (next === null || end > to) return stretches;
    at = next;
    start = end;
  }
}

const MONDAY = 4 * DAY;

/** The start of the period that a local time lies in. Local times are milliseconds as if they were UTC. */
function localStart(local: number, interval: Exclude<Interval, "hour">): number {
  if (interval === "day") return Math.floor(local / DAY) * DAY;
  if (interval === "week") return Math.floor((local - MONDAY) / (7 * DAY)) * 7 * DAY + MONDAY;
  const date = new Date(local);
  return monthStart(date.getUTCFullYear(), date.getUTCMonth());
}

// Date.UTC takes the years 0 to 99 for those of the twentieth century.
function monthStart(year: number, month: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month, 1);
  return date.getTime();
}

function localNext(start: number, interval: Exclude<Interval, "hour">): number {
  if (interval === "day") return start + DAY;
  if (interval === "week") return start + 7 * DAY;
  const date = new Date(start);
  return monthStart(date.getUTCFullYear(), date.getUTCMonth() + 1);
}

/** The first instant at which clocks show this local time or a later one: so a day without a midnight has a start too. */
function firstInstant(local: number, stretches: readonly Stretch[]): Instant {
  for (const { start, end, offset } of stretches) {
    if (local - offset < end) return Math.max(start, local - offset);
  }
  throw new Error("the stretches do not reach this local time");
}

// Clocks have been up to a day apart from UTC, and have jumped by a day.
const SLACK = 3 * DAY;

/** Hours begin when clocks show a full hour, and when they are changed. */
function* hourStarts(from: Instant, stretches: readonly Stretch[]): Generator<Instant> {
  for (const { start, end, offset } of stretches) {
    if (end <= from) continue;
    const aligned = Math.floor((Math.max(from, start) + offset) / HOUR) * HOUR - offset;
    yield Math.max(start, aligned);
    for (let at = aligned + HOUR; at < end; at += HOUR) yield at;
  }
}

function* longStarts(
  from: Instant,
  interval: Exclude<Interval, "hour">,
  stretches: readonly Stretch[],
): Generator<Instant> {
  const { offset } = stretches.find(({ end }) => from < end) ?? { offset: 0 };
  let local = localStart(from + offset, interval);
  // Where clocks were set back over midnight, the day whose start that was may have begun already.
  while (firstInstant(localNext(local, interval), stretches) <= from) local = localNext(local, interval);
  while (firstInstant(local, stretches) > from) local = localStart(local - 1, interval);
  for (; ; local = localNext(local, interval)) yield firstInstant(local, stretches);
}

// At least as long as one of the kind, so that a range that is far too long is refused before it is cut up.
export const LONGEST: Record<Interval, number> = {
  hour: HOUR,
  day: 25 * HOUR,
  week: 169 * HOUR,
  month: 31 * DAY,
};

/**
 * The hours, days, ISO weeks or months, as clocks in the zone show them, that have part in [from, to): when each
 * begins, and at last when the last one ends. Days have 23 or 25 hours twice a year. Undefined where these were more
 * than `most` buckets.
 */
export function edgesOf(
  interval: Interval,
  zone: string,
  from: Instant,
  to: Instant,
  most: number,
): readonly Instant[] | undefined {
  if ((to - from) / LONGEST[interval] > most + 1) return undefined;
  const stretches = stretchesOf(zone, from - 40 * DAY, to + 40 * DAY + SLACK);
  const starts = interval === "hour" ? hourStarts(from, stretches) : longStarts(from, interval, stretches);
  const edges: Instant[] = [];
  for (const start of starts) {
    // A change of clocks may make a period without any time in it.
    if (start === edges.at(-1)) continue;
    edges.push(start);
    if (start >= to) return edges;
    if (edges.length > most) return undefined;
  }
  return undefined;
}

/** The start of the local day that this date names. */
export const startOfDate = (date: string, zone: string): Instant =>
  Temporal.PlainDate.from(date).toZonedDateTime({ timeZone: zone }).epochMilliseconds;

/** The start of the day after it. */
export const endOfDate = (date: string, zone: string): Instant =>
  Temporal.PlainDate.from(date).add({ days: 1 }).toZonedDateTime({ timeZone: zone }).epochMilliseconds;

/** Which bucket an instant lies in; -1 where it is in none. */
export function bucketAt(edges: readonly Instant[], instant: Instant): number {
  let low = 0;
  let high = edges.length - 1;
  if (high < 1 || instant < (edges[0] ?? 0) || instant >= (edges[high] ?? 0)) return -1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((edges[middle] ?? 0) <= instant) low = middle;
    else high = middle;
  }
  return low;
}
