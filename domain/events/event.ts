import { z } from "zod";
import { occurrenceOf, type SenderClock, UNKNOWN_CLOCK } from "../clock.ts";
import type { Checked } from "../failure.ts";
import { isName, isNameOrNone, Name } from "../text.ts";
import { type Instant, readTimeOrNone, Timestamp } from "../time.ts";
import { hasOnly, type UsualForm } from "../usual.ts";
import { isMessageIdOrNone, MessageId, messageKey } from "./message-id.ts";
import { arePropertiesOrNone, Properties } from "./properties.ts";

export const MAX_EVENT_BYTES = 64 * 1024;

export const EventInput = z
  .strictObject({
    event_type: Name,
    user_id: Name.nullish(),
    session_id: Name.nullish(),
    properties: Properties.nullish(),
    message_id: MessageId.nullish(),
    timestamp: Timestamp.nullish(),
  })
  .meta({
    id: "EventInput",
    examples: [
      {
        event_type: "button_click",
        user_id: "user123",
        session_id: "session456",
        properties: { button_name: "submit", page: "homepage" },
      },
    ],
  });
export type EventInput = z.infer<typeof EventInput>;

const FIELDS = new Set(Object.keys(EventInput.shape));

/** Every valid event. */
export const usualEvent: UsualForm<EventInput> = (value) => {
  if (!hasOnly(FIELDS, value)) return undefined;
  const { event_type, user_id, session_id, properties, message_id } = value;
  const timestamp = readTimeOrNone(value.timestamp);
  const isValid =
    isName(event_type) &&
    isNameOrNone(user_id) &&
    isNameOrNone(session_id) &&
    arePropertiesOrNone(properties) &&
    isMessageIdOrNone(message_id) &&
    !Number.isNaN(timestamp);
  return isValid ? { event_type, user_id, session_id, properties, message_id, timestamp } : undefined;
};

/** An event that is ready to be stored. Storage gives it its id. */
export interface NewEvent {
  readonly event_type: string;
  readonly user_id: string | null;
  readonly session_id: string | null;
  /** JSON text, or null where the event has none. */
  readonly properties: string | null;
  /** When it arrived. */
  readonly created_at: Instant;
  /** When it happened. Every report uses this time. */
  readonly occurred_at: Instant;
  /** The client's own timestamp where `occurred_at` is another time; else absent or null. */
  readonly client_timestamp?: Instant | null | undefined;
  /**
   * The latest instant at which it can have happened, by its sender's clock; absent where that is `occurred_at`. Not
   * stored: an event counts for an experiment if this is not before its user's assignment.
   */
  readonly latest_at?: Instant | undefined;
  readonly message_key: Uint8Array | null;
}

const utf8 = new TextEncoder();

// A UTF-16 unit takes three bytes of UTF-8 at most, so that most events need not be encoded.
const isTooLarge = (json: string): boolean =>
  json.length * 3 > MAX_EVENT_BYTES && utf8.encode(json).length > MAX_EVENT_BYTES;

/** Turns a client's event into one to store, as of its arrival at `now`. The clock is that of its sender. */
export function stamp(
  input: EventInput,
  now: Instant,
  clock: SenderClock = UNKNOWN_CLOCK,
): Checked<NewEvent> {
  const properties = input.properties ? JSON.stringify(input.properties) : null;
  if (properties !== null && isTooLarge(properties)) {
    return { faults: [{ path: "properties", message: `must be at most ${MAX_EVENT_BYTES} bytes as JSON` }] };
  }
  const { event_type, user_id = null, session_id = null, message_id } = input;
  const message_key = message_id ? messageKey(message_id) : null;
  const occurrence = occurrenceOf(input.timestamp, now, clock);
  return {
    value: { event_type, user_id, session_id, properties, created_at: now, ...occurrence, message_key },
  };
}
