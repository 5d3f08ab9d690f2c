import { EARLIEST, type Instant, LATEST } from "../../domain/time.ts";

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

function read(value: string | number): number {
  if (typeof value === "number") return Math.round(value < SECONDS_BELOW ? value * 1000 : value);
  const iso = value.replace(" ", "T");
  return Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`);
}

/**
 * Reads what toSql has written, what SQLite's default has written, and ISO 8601 that somebody else has. What is no time, or
 * lies in no year from 0000 to 9999, is NaN: so may anything be that somebody else has put there, bytes included.
 */
export function fromSql(value: string | number | Uint8Array): Instant {
  const instant = value instanceof Uint8Array ? Number.NaN : read(value);
  return instant >= EARLIEST && instant <= LATEST ? instant : Number.NaN;
}

/** Another program's event happened when it was created. An invalid time becomes now: the event arrived before. */
export function timeOf(createdAt: string | number | Uint8Array | null): Instant {
  const created = fromSql(createdAt ?? "");
  return Number.isNaN(created) ? Date.now() : created;
}
