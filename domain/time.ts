import { z } from "zod";

/** Milliseconds since 1970-01-01T00:00:00Z. The code keeps every time so; ISO 8601 is for the wire. */
export type Instant = number;

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
/** A day of UTC. In a time zone a day has 23 or 25 hours twice a year. */
export const DAY = 24 * HOUR;

/** 0000-01-01T00:00:00.000Z, the first instant that ISO 8601 writes with a four-digit year. */
export const EARLIEST: Instant = -62_167_219_200_000;
/** 9999-12-31T23:59:59.999Z, the last instant that ISO 8601 writes with a four-digit year. */
export const LATEST: Instant = 253_402_300_799_999;

/** Writes an instant as 2026-11-22T10:00:00.000Z. */
export const isoTime = (instant: Instant): string => new Date(instant).toISOString();

/** A time in an answer, as 2026-11-22T10:00:00.000Z. */
export const IsoTime = z.iso.datetime({ precision: 3 });

/** Midnight UTC of a day; undefined where the calendar has no such day. `month` is 1 to 12. */
export function utcDay(year: number, month: number, day: number): Instant | undefined {
  // Date.UTC takes the years 0 to 99 for those of the twentieth century.
  const date = new Date(0);
  const instant = date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? instant : undefined;
}

// The extended and the basic form. Languages differ in T or a space, in a dot or a comma, in the length of the fraction,
// in leaving out seconds, and in how they write the offset. Java and Temporal add the zone's name in brackets.
const DATE = "(?<year>\\d{4})(?<dash>-?)(?<month>\\d\\d)\\k<dash>(?<day>\\d\\d)";
const CLOCK =
  "(?<hour>\\d\\d)(?<colon>:?)(?<minute>\\d\\d)(?:\\k<colon>(?<second>\\d\\d)(?:[.,](?<fraction>\\d+))?)?";
const ZONE =
  "(?:[Zz]|(?<sign>[+\\-\u2212])(?<zoneHour>\\d\\d)(?::?(?<zoneMinute>\\d\\d))?)(?:\\[[^\\[\\]]*\\])?";
const ISO_TIME = new RegExp(`^${DATE}[Tt ]${CLOCK}${ZONE}$`);

/** A time of day in milliseconds; undefined where a clock never shows it. 24:00 is the end of the day. */
function timeOfDay(hour: number, minute: number, second: number, milliseconds: number): number | undefined {
  const time = hour * HOUR + minute * MINUTE + second * 1000 + milliseconds;
  return minute < 60 && second < 60 && (hour < 24 || time === DAY) ? time : undefined;
}

/** The milliseconds of a fraction of a second. Further digits are dropped, so that no time moves into the next second. */
const millisecondsOf = (fraction: string): number => Number(fraction.slice(0, 3).padEnd(3, "0"));

/** Reads ISO 8601 with a zone in any of its usual spellings; undefined where the text is none. */
export function parseIsoTime(text: string): Instant | undefined {
  const { groups } = ISO_TIME.exec(text) ?? {};
  if (groups === undefined) return undefined;
  const {
    year,
    month,
    day,
    hour,
    minute,
    second = 0,
    fraction = "",
    sign,
    zoneHour = 0,
    zoneMinute = 0,
  } = groups;
  const midnight = utcDay(Number(year), Number(month), Number(day));
  const time = timeOfDay(Number(hour), Number(minute), Number(second), millisecondsOf(fraction));
  const zone = timeOfDay(Number(zoneHour), Number(zoneMinute), 0, 0);
  if (midnight === undefined || time === undefined || zone === undefined) return undefined;
  return midnight + time - (sign === undefined || sign === "+" ? zone : -zone);
}

const FORM = "must be ISO 8601 with a zone, as 2026-11-22T10:00:00.000Z, or milliseconds since 1970";
const NO_ZONE = "must end with its zone, as 2026-11-22T10:00:00Z or 2026-11-22T10:00:00+01:00";
const YEARS = "must lie in the years 0000 to 9999";

const SECONDS = "looks like seconds since 1970: send milliseconds, which are 1000 times as many, or ISO 8601";
const MICROSECONDS = "looks like microseconds or nanoseconds since 1970: send milliseconds, or ISO 8601";

// As milliseconds these are the years 1966 to 1973, as seconds all years to 5138.
const LEAST_MILLISECONDS = 1e11;

function numberFault(value: number): string | undefined {
  if (!Number.isFinite(value)) return FORM;
  if (Math.abs(value) < LEAST_MILLISECONDS) return SECONDS;
  return value > LATEST ? MICROSECONDS : undefined;
}

/** Reads a client's time, or says what is wrong with it. A fraction of a millisecond is dropped. */
export function readTime(value: string | number): Instant | { readonly fault: string } {
  const instant = typeof value === "string" ? parseIsoTime(value) : Math.floor(value);
  if (instant === undefined) {
    return { fault: parseIsoTime(`${value}Z`) === undefined ? FORM : NO_ZONE };
  }
  const fault = typeof value === "number" ? numberFault(value) : undefined;
  if (fault !== undefined) return { fault };
  return instant >= EARLIEST && instant <= LATEST ? instant : { fault: YEARS };
}

/** Reads a client's time, which may be left out. NaN where it is no time. */
export function readTimeOrNone(value: unknown): Instant | null | undefined {
  if (value === undefined || value === null) return value;
  const time = typeof value === "string" || typeof value === "number" ? readTime(value) : Number.NaN;
  return typeof time === "number" ? time : Number.NaN;
}

/**
 * A time as a client sends it: ISO 8601 with its zone, or milliseconds since 1970. A number that can only be seconds is
 * refused: it would be a day in January 1970.
 */
export const Timestamp = z
  .union(
    [z.string().meta({ format: "date-time" }), z.number().meta({ description: "Milliseconds since 1970." })],
    {
      error: FORM,
    },
  )
  .transform((value, context) => {
    const time = readTime(value);
    if (typeof time === "number") return time;
    // A union that has this schema in one of its options shows the issue only if it may continue.
    context.addIssue({ code: "custom", message: time.fault, continue: true });
    return z.NEVER;
  });
