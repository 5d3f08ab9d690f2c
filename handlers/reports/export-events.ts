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
import { Document, documentsOf } from "../contract/document.ts";
import { endpoint } from "../contract/endpoint.ts";
import { unanswerable } from "../contract/faults.ts";
import { eventCursor } from "./event-cursor.ts";

// A function's response is limited to 6 MiB. An event may have 64 KiB; most are a hundred times smaller.
const PAGE = 2_000;
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

const utf8 = new TextEncoder();

/** Bytes of a line within a function's response. That is JSON itself, so a quote takes two bytes, a kanji three. */
const bytesOf = (line: string): number => utf8.encode(JSON.stringify(line)).length;

/** The format of one export. The columns of CSV are chosen once, so that every line has the same. */
async function formatOf(
  format: "ndjson" | "csv",
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

// The size of the events is not known yet, and a full page of the largest ones blocks the event loop for a second.
const FIRST_PIECE = 100;

/** The number of events whose lines take a few MiB, estimated from the piece before. */
const nextLimit = (events: number, characters: number): number =>
  Math.max(1, Math.min(PAGE, Math.floor((events * MAX_PAGE_BYTES) / characters)));

/** Streams an export. The caller reads the first events, so that a failure is answered before the response begins. */
async function* pieces(
  first: readonly StoredEvent[],
  list: List,
  { head, line }: ExportFormat,
): AsyncGenerator<string> {
  if (head !== "") yield head;
  let limit = FIRST_PIECE;
  for (let events = first; events.length > 0; events = await list(limit, events.at(-1))) {
    const text = events.map(line).join("");
    yield text;
    if (events.length < limit) return;
    limit = nextLimit(events.length, text.length);
  }
}

/** The lines that fit into one response, and the last event among them. */
function onePage(events: readonly StoredEvent[], { head, line }: ExportFormat) {
  let text = head;
  let bytes = 0;
  let last: StoredEvent | undefined;
  for (const event of events) {
    const next = line(event);
    bytes += bytesOf(next);
    if (last !== undefined && bytes > MAX_PAGE_BYTES) return { text, last, more: true };
    text += next;
    last = event;
  }
  return { text, last, more: false };
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
    /** Asks for one page of this size; the header x-next-cursor leads to the next. */
    limit: wholeNumber(1, PAGE).optional(),
    cursor: eventCursor.Cursor.optional(),
  }),
  replies: { ok: documentsOf("application/x-ndjson", "text/csv") },

  async handle({ query: { format, limit, cursor, ...query }, gone }, { storage, now, streams }) {
    const filter = planFilter(query, now());
    if ("faults" in filter) throw unanswerable("query", filter.faults);
    const shape = await formatOf(format, filter.value, storage, gone());
    const name = `attachment; filename="events.${format}"`;
    const list = lister(storage, filter.value, gone());
    if (streams && limit === undefined) {
      const content = pieces(await list(FIRST_PIECE, cursor), list, shape);
      return {
        outcome: "ok",
        body: new Document(shape.type, content, { headers: { "content-disposition": name } }),
      };
    }
    const size = limit ?? PAGE;
    const found = await list(size + 1, cursor);
    const { text, last, more } = onePage(found.slice(0, size), shape);
    const goesOn = last !== undefined && (more || found.length > size);
    const headers = {
      "content-disposition": name,
      ...(goesOn ? { "x-next-cursor": eventCursor.next(last) } : {}),
    };
    return { outcome: "ok", body: new Document(shape.type, text, { headers }) };
  },
});
