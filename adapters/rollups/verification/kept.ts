import { DAY, isoTime } from "../../../domain/time.ts";
import { eachKeptRow, type KeptRow, type KeptStore, QUARTERS_A_DAY } from "../kept-counts.ts";
import { ALL_HOURS } from "../reader.ts";
import type { Work } from "../work.ts";

/** Counts of expired events: their number, and the rows that no server has written. */
export interface KeptVerification {
  readonly expired: number;
  /** As `2026-11-22, "page_view"`. */
  readonly damaged: readonly string[];
}

function countsOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isWhole({ counts: text, events }: KeptRow): boolean {
  const counts = countsOf(text);
  if (!Array.isArray(counts) || counts.length !== QUARTERS_A_DAY) return false;
  return (
    counts.every((count) => Number.isSafeInteger(count) && count >= 0) &&
    counts.reduce((a, b) => a + b, 0) === events
  );
}

/** Checks that kept counts can be read: nothing is left that they could be compared with. */
export function* verifyKept(kept: KeptStore): Work<KeptVerification> {
  let expired = 0;
  const damaged: string[] = [];
  const span = { types: null, first: ALL_HOURS.first, last: ALL_HOURS.last };
  yield* eachKeptRow(kept, span, (row) => {
    expired += row.events;
    if (!isWhole(row))
      damaged.push(`${isoTime(row.day * DAY).slice(0, 10)}, ${JSON.stringify(row.event_type)}`);
  });
  return { expired, damaged };
}
