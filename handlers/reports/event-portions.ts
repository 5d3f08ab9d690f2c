import type { EventPlace, StoredEvent } from "../../domain/reports/event-list.ts";
import type { Line } from "../contract/listing.ts";

/** The first portion is small because the size of its events is unknown. */
export const FIRST_PORTION = 20;
export const MAX_PORTION = 2_000;
// Later portions are sized by the previous one: to parse the properties of a larger portion blocks other requests, and
// clients that read nothing hold a portion each.
const PORTION_CHARACTERS = 64 * 1024;
// Of a line without the properties: times, names and punctuation.
const USUAL_LINE_CHARACTERS = 200;

export interface EventReading {
  /** The next events after a place, at most `limit`. */
  readonly list: (limit: number, after: EventPlace | undefined) => Promise<readonly StoredEvent[]>;
  readonly line: (event: StoredEvent) => string;
  readonly cursor: (event: StoredEvent) => string;
}

function sizeOfNext(events: readonly StoredEvent[]): number {
  const characters = events.reduce(
    (sum, { properties }) => sum + USUAL_LINE_CHARACTERS + (properties?.length ?? 0),
    0,
  );
  return Math.max(1, Math.min(MAX_PORTION, Math.floor((events.length * PORTION_CHARACTERS) / characters)));
}

/** At most `most` events as lines, beginning with those of `first`, of which `size` were asked for. */
export async function* eventPortions(
  first: readonly StoredEvent[],
  size: number,
  most: number,
  { list, line, cursor }: EventReading,
): AsyncGenerator<readonly Line[]> {
  let left = most;
  let asked = size;
  for (let events = first; events.length > 0; events = await list(asked, events.at(-1))) {
    yield events.map((event) => ({ text: () => line(event), cursor: () => cursor(event) }));
    left -= events.length;
    if (events.length < asked || left <= 0) return;
    asked = Math.min(left, sizeOfNext(events));
  }
}
