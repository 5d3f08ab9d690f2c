import { z } from "zod";
import { occurrenceOf, type SenderClock, UNKNOWN_CLOCK } from "../clock.ts";
import { isMessageIdOrNone, MessageId, messageKey } from "../events/message-id.ts";
import { isName, Name } from "../text.ts";
import { type Instant, readTimeOrNone, Timestamp } from "../time.ts";
import { hasOnly, type UsualForm } from "../usual.ts";

/** Sums of squares of values up to this one keep their digits: see domain/statistics/exact-sum.ts. */
export const MAX_VALUE = 1e12;

/** A user's total of a metric stays within ± this, so that sums over all users keep their digits too. */
export const MAX_TOTAL = 1e13;

export const MetricInput = z
  .strictObject({
    user_id: Name,
    metric_name: Name,
    value: z
      .number()
      .min(-MAX_VALUE, `must be at least ${-MAX_VALUE}`)
      .max(MAX_VALUE, `must be at most ${MAX_VALUE}`)
      .default(1),
    message_id: MessageId.nullish(),
    timestamp: Timestamp.nullish(),
  })
  .meta({ id: "MetricInput", examples: [{ user_id: "user123", metric_name: "signup" }] });
export type MetricInput = z.infer<typeof MetricInput>;

const FIELDS = new Set(Object.keys(MetricInput.shape));

/** Every valid value. */
export const usualMetric: UsualForm<MetricInput> = (input) => {
  if (!hasOnly(FIELDS, input)) return undefined;
  const { user_id, metric_name, value = 1, message_id } = input;
  const timestamp = readTimeOrNone(input.timestamp);
  const isValid =
    isName(user_id) &&
    isName(metric_name) &&
    typeof value === "number" &&
    Math.abs(value) <= MAX_VALUE &&
    isMessageIdOrNone(message_id) &&
    !Number.isNaN(timestamp);
  return isValid ? { user_id, metric_name, value, message_id, timestamp } : undefined;
};

/** A tracked value as it is stored, before storage has found its user's variant and given it an id. */
export interface NewMetric {
  readonly user_id: string;
  readonly metric_name: string;
  readonly value: number;
  /** When it arrived. */
  readonly created_at: Instant;
  /** When it happened. */
  readonly occurred_at: Instant;
  /** The client's own timestamp where `occurred_at` is another time; else absent or null. */
  readonly client_timestamp?: Instant | null | undefined;
  /**
   * The latest instant at which it can have happened, by its sender's clock; absent where that is `occurred_at`. The
   * value counts in the results if this is not before its user's assignment.
   */
  readonly latest_at?: Instant | undefined;
  readonly message_key: Uint8Array | null;
}

/** Turns a client's value into one to store, as of its arrival at `now`. The clock is that of its sender. */
export function newMetric(input: MetricInput, now: Instant, clock: SenderClock = UNKNOWN_CLOCK): NewMetric {
  const { user_id, metric_name, value, message_id, timestamp } = input;
  const message_key = message_id ? messageKey(message_id) : null;
  return {
    user_id,
    metric_name,
    value,
    created_at: now,
    ...occurrenceOf(timestamp, now, clock),
    message_key,
  };
}
