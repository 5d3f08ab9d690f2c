import { z } from "zod";
import {
  type EventFilter,
  type EventPlace,
  eventFilterShape,
  planFilter,
  type StoredEvent,
} from "../../domain/reports/event-list.ts";
import { csvHead, csvLine, jsonLine } from "../../domain/reports/export.ts";
import { wholeNumber } from "../../domain/reports/range.ts";
import type { EventQuestions } from "../../domain/storage.ts";
import { Document, documentsOf } from "../contract/document.ts";
import { endpoint } from "../contract/endpoint.ts";
import { unanswerable } from "../contract/faults.ts";
import { eventCursor } from "./event-cursor.ts";

// What one answer of a function may hold is 6 MiB, and one event 64 KiB: most are a hundred times smaller.
const PAGE = 2_000;
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

const utf8 = new TextEncoder();

/** As a function's answer has it, which is JSON itself: there every quote takes two bytes, and a Japanese letter three. */
const bytesOf = (line: string): number => utf8.encode(JSON.stringify(line)).length;

const FORMATS = {
  ndjson: { type: "application/x-ndjson; charset=utf-8", head: "", line: jsonLine },
  csv: { type: "text/csv; charset=utf-8", head: csvHead, line: csvLine },
};
type Format = (typeof FORMATS)[keyof typeof FORMATS];

type List = (limit: number, after: EventPlace | undefined) => Promise<readonly StoredEvent[]>;

const lister =
  (storage: EventQuestions, filter: EventFilter, gone: AbortSignal): List =>
  (limit, after) =>
    storage.listEvents({ ...filter, limit, after }, { gone });

// Nothing is known of their size yet. A full page of the largest events takes a second to put together, in which nobody
// else is answered.
const FIRST_PIECE = 100;

/** So many events that their lines take a few MiB, as far as can be told by the ones before. */
const nextLimit = (events: number, characters: number): number =>
  Math.max(1, Math.min(PAGE, Math.floor((events * MAX_PAGE_BYTES) / characters)));

/** The first events have been read already, so that what is wrong is said before anything is sent. */
async function* pieces(
  first: readonly StoredEvent[],
  list: List,
  { head, line }: Format,
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

/** As many lines as one answer holds, and the last event that is among them. */
function onePage(events: readonly StoredEvent[], { head, line }: Format) {
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
    /** Asks for one page of so many; its end is in the header x-next-cursor. */
    limit: wholeNumber(1, PAGE).optional(),
    cursor: eventCursor.Cursor.optional(),
  }),
  replies: { ok: documentsOf("application/x-ndjson", "text/csv") },

  async handle({ query: { format, limit, cursor, ...query }, gone }, { storage, now, streams }) {
    const filter = planFilter(query, now());
    if ("faults" in filter) throw unanswerable("query", filter.faults);
    const shape = FORMATS[format];
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
