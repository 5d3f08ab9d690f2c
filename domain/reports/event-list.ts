import { z } from "zod";
import type { Checked } from "../failure.ts";
import { Name } from "../text.ts";
import { EARLIEST, type Instant, IsoTime, isoTime, LATEST } from "../time.ts";
import { type Condition, propertiesOf, QueryConditions } from "./condition.ts";
import { EventTypes, rangeOf, rangeShape } from "./range.ts";

/** The filters of a list or an export of events. */
export const eventFilterShape = {
  event_type: EventTypes,
  user_id: Name.optional(),
  session_id: Name.optional(),
  ...rangeShape,
  where: QueryConditions,
};
const EventFilterQuery = z.strictObject(eventFilterShape);
export type EventFilterQuery = z.infer<typeof EventFilterQuery>;

/** Selects the events that match every field. */
export interface EventFilter {
  /** All types where the list is empty. */
  readonly event_types: readonly string[];
  readonly user_id?: string | undefined;
  readonly session_id?: string | undefined;
  readonly from: Instant;
  readonly to: Instant;
  readonly where: readonly Condition[];
}

/** An event's position in the order of all events: by time, then by id. */
export interface EventPlace {
  readonly occurred_at: Instant;
  readonly id: number;
}

/** A page of events, newest first: those after this position. */
export interface EventPage extends EventFilter {
  readonly limit: number;
  readonly after?: EventPlace | undefined;
}

export interface StoredEvent extends EventPlace {
  readonly event_type: string;
  readonly user_id: string | null;
  readonly session_id: string | null;
  readonly properties: string | null;
  readonly created_at: Instant;
  /** The client's own timestamp where `occurred_at` is another time. */
  readonly client_timestamp: Instant | null;
}

/** Unlike a report, a list covers all times where the query has no range. */
export function planFilter(query: EventFilterQuery, now: Instant): Checked<EventFilter> {
  const { event_type: event_types, user_id, session_id, where, timezone } = query;
  const from = query.from ?? { instant: EARLIEST };
  const range = rangeOf({ from, to: query.to ?? { instant: LATEST + 1 }, timezone }, now);
  if ("faults" in range) return range;
  return { value: { event_types, user_id, session_id, where, ...range.value } };
}

export const EventReply = z
  .strictObject({
    id: z.int(),
    event_type: z.string(),
    user_id: z.string().nullable(),
    session_id: z.string().nullable(),
    properties: z.record(z.string(), z.unknown()).nullable(),
    /** When it happened. */
    timestamp: IsoTime,
    /** The client's own timestamp where another time is stored, because the client's clock was ahead. */
    client_timestamp: IsoTime.nullable(),
    /** When it arrived. */
    created_at: IsoTime,
  })
  .meta({ id: "Event" });
export type EventReply = z.infer<typeof EventReply>;

export const describeEvent = (event: StoredEvent): EventReply => ({
  id: event.id,
  event_type: event.event_type,
  user_id: event.user_id,
  session_id: event.session_id,
  properties: event.properties === null ? null : propertiesOf(event.properties),
  timestamp: isoTime(event.occurred_at),
  client_timestamp: event.client_timestamp === null ? null : isoTime(event.client_timestamp),
  created_at: isoTime(event.created_at),
});
