import { Temporal } from "temporal-polyfill";
import { z } from "zod";
import { DAY, HOUR, type Instant } from "../time.ts";

export const Interval = z.enum(["hour", "day", "week", "month"]);
export type Interval = z.infer<typeof Interval>;

/** A stretch of time without a clock change: local time is UTC plus `offset`. */
interface Stretch {
  readonly start: Instant;
  readonly end: Instant;
  readonly offset: number;
}

const zoned = (instant: Instant, zone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone);

/** Whether the name is a zone of the IANA database, or UTC. */
export function isZone(name: string): boolean {
  try {
    // Temporal also accepts an offset such as +02:00, which is wrong for half of the year in most zones.
    return /^[A-Za-z]/.test(name) && zoned(0, name) !== undefined;
  } catch {
    return false;
  }
}

/** The stretches of a zone that cover a range, oldest first. The first and the last extend beyond it. */
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

/** The start of the period that contains a local time. Local times are milliseconds as if the zone were UTC. */
function localStart(local: number, interval: Exclude<Interval, "hour">): number {
  const day = Math.floor(local / DAY) * DAY;
  if (interval === "day") return day;
  if (interval === "week") return Math.floor((local - MONDAY) / (7 * DAY)) * 7 * DAY + MONDAY;
  return new Date(day).setUTCDate(1);
}

function localNext(start: number, interval: Exclude<Interval, "hour">): number {
  if (interval === "day") return start + DAY;
  if (interval === "week") return start + 7 * DAY;
  const date = new Date(start);
  return date.setUTCMonth(date.getUTCMonth() + 1);
}

/** The first instant at which clocks show this local time or a later one, so that a day without midnight has a start. */
function firstInstant(local: number, stretches: readonly Stretch[]): Instant {
  for (const { start, end, offset } of stretches) {
    if (local - offset < end) return Math.max(start, local - offset);
  }
  throw new Error("the stretches do not reach this local time");
}

// Zones have been up to a day apart from UTC, and clocks have jumped by a day.
const SLACK = 3 * DAY;

/** Hours begin when clocks show a full hour, and at each clock change. */
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
  // Where clocks were set back over midnight, the next day may have begun already.
  while (firstInstant(localNext(local, interval), stretches) <= from) local = localNext(local, interval);
  while (firstInstant(local, stretches) > from) local = localStart(local - 1, interval);
  for (; ; local = localNext(local, interval)) yield firstInstant(local, stretches);
}

// An upper bound of each interval's length: a range that is far too long is refused before it is divided.
export const LONGEST: Record<Interval, number> = {
  hour: HOUR,
  day: 25 * HOUR,
  week: 169 * HOUR,
  month: 31 * DAY,
};

/**
 * Divides [from, to) into hours, days, ISO weeks or months as clocks in the zone show them. Returns the start of each
 * period that overlaps the range, and at last the end of the last one. Days have 23 or 25 hours twice a year. Undefined
 * where there are more than `most` periods.
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
    // A clock change can leave a period without any time in it.
    if (start === edges.at(-1)) continue;
    edges.push(start);
    if (start >= to) return edges;
    if (edges.length > most) return undefined;
  }
  return undefined;
}

const startOfDay = (date: Temporal.PlainDate, zone: string): Temporal.ZonedDateTime =>
  date.toZonedDateTime({ timeZone: zone });

/** The start of a local day; of the next day where the zone's clocks have skipped this one. */
export const startOfDate = (date: string, zone: string): Instant =>
  startOfDay(Temporal.PlainDate.from(date), zone).epochMilliseconds;

/** The start of the day after a local day. */
export const endOfDate = (date: string, zone: string): Instant =>
  startOfDay(Temporal.PlainDate.from(date).add({ days: 1 }), zone).epochMilliseconds;

/** Whether clocks in the zone ever show this date: those of Pacific/Apia have skipped 2011-12-30. */
export const isDateOf = (date: string, zone: string): boolean =>
  startOfDay(Temporal.PlainDate.from(date), zone).toPlainDate().equals(date);

/** The index of the bucket that contains an instant; -1 where none does. A binary search. */
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
