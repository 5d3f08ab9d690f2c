import type { Instant } from "../../domain/time.ts";

let lastInstant: Instant = Number.NaN;
let lastText = "";

/**
 * An instant as the specified columns hold it: SQLite's own format with milliseconds, `2026-11-22 10:00:00.000`. It
 * sorts together with what `default current_timestamp` has put there, and with SQLite's datetime(); ISO's T does not.
 */
export function toSql(instant: Instant): string {
  // Requests of one turn share their millisecond.
  if (instant !== lastInstant) {
    lastInstant = instant;
    lastText = new Date(instant).toISOString().replace("T", " ").slice(0, -1);
  }
  return lastText;
}

// A number below this is taken for seconds since 1970 (until the year 5138), one above for milliseconds (since 1973).
const SECONDS_BELOW = 100_000_000_000;

/** Reads what toSql has written, what SQLite's default has written, and ISO 8601 that somebody else has. */
export function fromSql(text: string | number): Instant {
  if (typeof text === "number") return text < SECONDS_BELOW ? text * 1000 : text;
  const iso = text.replace(" ", "T");
  return Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`);
}
