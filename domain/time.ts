import { z } from "zod";

/** Milliseconds since 1970-01-01T00:00:00Z. Inside, every time is one of these; ISO 8601 is for the wire. */
export type Instant = number;

export const HOUR = 3_600_000;

// 0000-01-01 and the last millisecond of 9999: what ISO 8601 writes with a four-digit year.
export const EARLIEST: Instant = -62_167_219_200_000;
export const LATEST: Instant = 253_402_300_799_999;
const MAX_AHEAD = HOUR;

let lastInstant: Instant = Number.NaN;
let lastText = "";

/** As 2026-11-22T10:00:00.000Z. The last one is remembered: the requests of one turn share their millisecond. */
export function isoTime(instant: Instant): string {
  if (instant !== lastInstant) {
    lastText = new Date(instant).toISOString();
    lastInstant = instant;
  }
  return lastText;
}

/** A time in an answer, as 2026-11-22T10:00:00.000Z. */
export const IsoTime = z.iso.datetime({ precision: 3 });

const TIMESTAMP =
  "must be ISO 8601 with a zone, as 2026-11-22T10:00:00.000Z, or whole milliseconds since 1970";

/** When something happened, as a client says it: ISO 8601 with its zone, or epoch milliseconds. */
export const Timestamp = z
  .union([z.iso.datetime({ offset: true, error: TIMESTAMP }), z.int(TIMESTAMP)], TIMESTAMP)
  .transform((value) => (typeof value === "string" ? Date.parse(value) : value))
  .refine((instant) => instant >= EARLIEST && instant <= LATEST, "must lie in the years 0000 to 9999");

/** Says what is wrong with a client's time when the server's clock reads `now`; the past is always welcome. */
export function aheadOfClock(instant: Instant | undefined, now: Instant): string | undefined {
  if (instant === undefined || instant <= now + MAX_AHEAD) return undefined;
  return `must not be more than one hour ahead of the server's clock, which reads ${isoTime(now)}`;
}
