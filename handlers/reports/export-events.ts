import { z } from "zod";
import {
  type EventFilter,
  type EventPlace,
  eventFilterShape,
  planFilter,
  type StoredEvent,
} from "../../domain/reports/event-list.ts";
import { csvOf, type ExportFormat, ndjson } from "../../domain/reports/export.ts";
import { wholeNumber } from "../../domain/reports/range.ts";
import type { EventQuestions } from "../../domain/storage.ts";
import { endpoint } from "../contract/endpoint.ts";
import { unanswerable } from "../contract/faults.ts";
import { type Line, Listing, type ListingFormat, listingOf } from "../contract/listing.ts";
import { eventCursor } from "./event-cursor.ts";

// The first portion is small because the size of its events is unknown. Later portions are sized by the previous one: to
// parse the properties of a larger portion blocks other requests, and clients that read nothing hold a portion each.
const FIRST_PORTION = 20;
const MAX_PORTION = 2_000;
const PORTION_CHARACTERS = 64 * 1024;
// Of a line without the properties: times, names and punctuation.
const USUAL_LINE_CHARACTERS = 200;

/** The format of one export. The columns of CSV are chosen once, so that every line has the same. */
async function formatOf(
  format: ListingFormat,
  { event_types }: EventFilter,
  storage: EventQuestions,
  gone: AbortSignal,
): Promise<ExportFormat> {
  if (format === "ndjson") return ndjson;
  const { value } = await storage.eventTypes({ gone });
  return csvOf(value, event_types);
}

type List = (limit: number, after: EventPlace | undefined) => Promise<readonly StoredEvent[]>;

const lister =
  (storage: EventQuestions, filter: EventFilter, gone: AbortSignal): List =>
  (limit, after) =>
    storage.listEvents({ ...filter, limit, after }, { gone });

function sizeOfNext(events: readonly StoredEvent[]): number {
  const characters = events.reduce(
    (sum, { properties }) => sum + USUAL_LINE_CHARACTERS + (properties?.length ?? 0),
    0,
  );
  return Math.max(1, Math.min(MAX_PORTION, Math.floor((events.length * PORTION_CHARACTERS) / characters)));
}

/** At most `most` events as lines, beginning with those of `first`, of which `size` were asked for. */
async function* portions(
  first: readonly StoredEvent[],
  size: number,
  most: number,
  { list, line }: { list: List; line: (event: StoredEvent) => string },
): AsyncGenerator<readonly Line[]> {
  let left = most;
  let asked = size;
  for (let events = first; events.length > 0; events = await list(asked, events.at(-1))) {
    yield events.map((event) => ({ text: () => line(event), cursor: () => eventCursor.next(event) }));
    left -= events.length;
    if (events.length < asked || left <= 0) return;
    asked = Math.min(left, sizeOfNext(events));
  }
}

export const exportEvents = endpoint({
  name: "exportEvents",
  method: "GET",
  path: "/apiv1/events/export",
  access: "read",
  summary: "Events as lines of JSON or CSV, newest first; page by page where the answer cannot be streamed",
  query: z.strictObject({
    ...eventFilterShape,
    format: z.enum(["ndjson", "csv"]).default("ndjson"),
    /** Asks for one page of at most this many events. */
    limit: wholeNumber(1, MAX_PORTION).optional(),
    cursor: eventCursor.Cursor.optional(),
  }),
  replies: { ok: listingOf("ndjson", "csv") },

  async handle({ query: { format, limit, cursor, ...query }, gone }, { storage, now }) {
    const filter = planFilter(query, now());
    if ("faults" in filter) throw unanswerable("query", filter.faults);
    const { head, line } = await formatOf(format, filter.value, storage, gone());
    const list = lister(storage, filter.value, gone());
    // One more than asked for tells whether there is a next page.
    const most = limit === undefined ? Number.POSITIVE_INFINITY : limit + 1;
    const size = Math.min(FIRST_PORTION, most);
    // Read before answering, so that a failure of the first portion is a refusal and not a broken download.
    const first = await list(size, cursor);
    const lines = portions(first, size, most, { list, line });
    return { outcome: "ok", body: new Listing({ name: "events", format, head, limit, portions: lines }) };
  },
});
