import { z } from "zod";
import { type EventFilter, eventFilterShape, planFilter } from "../../domain/reports/event-list.ts";
import { csvOf, type ExportFormat, ndjson } from "../../domain/reports/export.ts";
import { wholeNumber } from "../../domain/reports/range.ts";
import type { EventQuestions } from "../../domain/storage.ts";
import { endpoint } from "../contract/endpoint.ts";
import { unanswerable } from "../contract/faults.ts";
import { Listing, type ListingFormat, listingOf } from "../contract/listing.ts";
import { eventCursor } from "./event-cursor.ts";
import { type EventReading, eventPortions, FIRST_PORTION, MAX_PORTION } from "./event-portions.ts";

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

const lister =
  (storage: EventQuestions, filter: EventFilter, gone: AbortSignal): EventReading["list"] =>
  (limit, after) =>
    storage.listEvents({ ...filter, limit, after }, { gone });

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
    const lines = eventPortions(first, size, most, { list, line, cursor: eventCursor.next });
    return { outcome: "ok", body: new Listing({ name: "events", format, head, limit, portions: lines }) };
  },
});
