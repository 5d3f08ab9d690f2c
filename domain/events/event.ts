import { z } from "zod";
import type { Checked, Fault } from "../failure.ts";
import { Name } from "../text.ts";
import { aheadOfClock, type Instant, Timestamp } from "../time.ts";
import { MessageId, messageKey } from "./message-id.ts";
import { Properties } from "./properties.ts";

export const MAX_EVENT_BYTES = 64 * 1024;

export const EventInput = z
  .strictObject({
    event_type: Name,
    user_id: Name.nullish(),
    session_id: Name.nullish(),
    properties: Properties.nullish(),
    message_id: MessageId.optional(),
    timestamp: Timestamp.optional(),
  })
  .meta({ id: "EventInput" });
export type EventInput = z.infer<typeof EventInput>;

/** An event as it is stored, before storage has given it an id. */
export interface NewEvent {
  readonly event_type: string;
  readonly user_id: string | null;
  readonly session_id: string | null;
  /** JSON text, or null where the event has none. */
  readonly properties: string | null;
  /** When it arrived. */
  readonly created_at: Instant;
  /** When it happened, as its client says; else when it arrived. Every question about events uses this one. */
  readonly occurred_at: Instant;
  readonly message_key: Uint8Array | null;
}

const utf8 = new TextEncoder();

// A UTF-16 unit is at most three bytes of UTF-8: most events need no second look.
const isTooLarge = (json: string): boolean =>
  json.length * 3 > MAX_EVENT_BYTES && utf8.encode(json).length > MAX_EVENT_BYTES;

function stampFaults(occurredAt: Instant, properties: string | null, now: Instant): readonly Fault[] {
  const ahead = aheadOfClock(occurredAt, now);
  const faults: Fault[] = ahead === undefined ? [] : [{ path: "timestamp", message: ahead }];
  if (properties === null || !isTooLarge(properties)) return faults;
  return [...faults, { path: "properties", message: `must be at most ${MAX_EVENT_BYTES} bytes as JSON` }];
}

/**
 * Turns what a client sent into what is stored, or says what is wrong with it at this moment.
 * `skew` is by how much the client's clock is known to run ahead of ours, in milliseconds.
 */
export function stamp(input: EventInput, now: Instant, skew = 0): Checked<NewEvent> {
  const properties = input.properties ? JSON.stringify(input.properties) : null;
  const occurred_at = input.timestamp === undefined ? now : input.timestamp - skew;
  const faults = stampFaults(occurred_at, properties, now);
  if (faults.length > 0) return { faults };
  const { event_type, user_id = null, session_id = null, message_id } = input;
  const message_key = message_id === undefined ? null : messageKey(message_id);
  return {
    value: { event_type, user_id, session_id, properties, created_at: now, occurred_at, message_key },
  };
}
