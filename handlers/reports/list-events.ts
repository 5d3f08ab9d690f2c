import { z } from "zod";
import { Meta, metaOf } from "../../domain/reports/answer.ts";
import { describeEvent, EventReply, eventFilterShape, planFilter } from "../../domain/reports/event-list.ts";
import { wholeNumber } from "../../domain/reports/range.ts";
import { endpoint } from "../contract/endpoint.ts";
import { unanswerable } from "../contract/faults.ts";
import { eventCursor } from "./event-cursor.ts";

const DEFAULT_PAGE = 50;
const MAX_PAGE = 500;

const INSTEAD = "Ask for a shorter time, for rarer event types, or without where and session_id.";

export const listEvents = endpoint({
  name: "listEvents",
  method: "GET",
  path: "/apiv1/events",
  access: "read",
  summary: "List events, newest first",
  query: z.strictObject({
    ...eventFilterShape,
    limit: wholeNumber(1, MAX_PAGE).default(DEFAULT_PAGE),
    cursor: eventCursor.Cursor.optional(),
  }),
  replies: {
    ok: z.strictObject({ events: z.array(EventReply), next_cursor: z.string().nullable(), meta: Meta }),
  },

  async handle({ query: { limit, cursor, ...query }, gone }, { storage, now }) {
    const startedAt = now();
    const filter = planFilter(query, startedAt);
    if ("faults" in filter) throw unanswerable("query", filter.faults);
    // One more than asked for tells whether there is a next page.
    const found = await storage.listEvents(
      { ...filter.value, limit: limit + 1, after: cursor },
      { gone: gone(), instead: INSTEAD },
    );
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const next_cursor = found.length > limit && last !== undefined ? eventCursor.next(last) : null;
    // Where the list goes on, nothing is missing yet.
    const before = next_cursor === null ? await storage.countsOnlyBefore(filter.value) : undefined;
    const countsOnly = before === undefined ? undefined : { before, isExact: true };
    const meta = metaOf({ source: "raw", value: page, countsOnly }, startedAt, now());
    return { outcome: "ok", body: { events: page.map(describeEvent), next_cursor, meta } };
  },
});
