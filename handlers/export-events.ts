import { z } from "zod";
import {
  type EventFilter,
  eventFilterShape,
  planFilter,
  type StoredEvent,
} from "../domain/analytics/event-list.ts";
import { csvHead, csvLine, jsonLine } from "../domain/analytics/export.ts";
import { wholeNumber } from "../domain/analytics/range.ts";
import type { EventQuestions } from "../domain/storage.ts";
import { Document, documentsOf } from "./document.ts";
import { endpoint } from "./endpoint.ts";
import { eventCursor } from "./event-cursor.ts";
import { unanswerable } from "./faults.ts";

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

type List = (after: StoredEvent | undefined) => Promise<readonly StoredEvent[]>;

const lister =
  (storage: EventQuestions, filter: EventFilter, limit: number, gone: AbortSignal): List =>
  (after) =>
    storage.listEvents({ ...filter, limit, after }, { gone });

/** The first page has been read already, so that what is wrong is said before anything is sent. */
async function* pieces(
  first: readonly StoredEvent[],
  list: List,
  { head, line }: Format,
): AsyncGenerator<string> {
  if (head !== "") yield head;
  for (let page = first; page.length > 0; page = await list(page.at(-1))) {
    yield page.map(line).join("");
    if (page.length < PAGE) return;
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
    if (streams && limit === undefined) {
      const list = lister(storage, filter.value, PAGE, gone());
      const first = await storage.listEvents(
        { ...filter.value, limit: PAGE, after: cursor },
        { gone: gone() },
      );
      const content = pieces(first, list, shape);
      return {
        outcome: "ok",
        body: new Document(shape.type, content, { headers: { "content-disposition": name } }),
      };
    }
    const size = limit ?? PAGE;
    const found = await storage.listEvents(
      { ...filter.value, limit: size + 1, after: cursor },
      { gone: gone() },
    );
    const { text, last, more } = onePage(found.slice(0, size), shape);
    const goesOn = last !== undefined && (more || found.length > size);
    const headers = {
      "content-disposition": name,
      ...(goesOn ? { "x-next-cursor": eventCursor.next(last) } : {}),
    };
    return { outcome: "ok", body: new Document(shape.type, text, { headers }) };
  },
});
