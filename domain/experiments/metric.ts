import { z } from "zod";
import { MessageId, messageKey } from "../events/message-id.ts";
import type { Checked } from "../failure.ts";
import { Name } from "../text.ts";
import { aheadOfClock, type Instant, Timestamp } from "../time.ts";

export const MetricInput = z
  .strictObject({
    user_id: Name,
    metric_name: Name,
    value: z.number().default(1),
    message_id: MessageId.optional(),
    timestamp: Timestamp.optional(),
  })
  .meta({ id: "MetricInput" });
export type MetricInput = z.infer<typeof MetricInput>;

/** A tracked value as it is stored, before storage has found its user's variant and given it an id. */
export interface NewMetric {
  readonly user_id: string;
  readonly metric_name: string;
  readonly value: number;
  /** When it arrived. */
  readonly created_at: Instant;
  /** When it happened: only what happened since its user's assignment counts in the results. */
  readonly occurred_at: Instant;
  readonly message_key: Uint8Array | null;
}

/** As for events: what is stored, or what is wrong with it at this moment. */
export function newMetric(input: MetricInput, now: Instant, skew = 0): Checked<NewMetric> {
  const occurred_at = input.timestamp === undefined ? now : input.timestamp - skew;
  const ahead = aheadOfClock(occurred_at, now);
  if (ahead !== undefined) return { faults: [{ path: "timestamp", message: ahead }] };
  const { user_id, metric_name, value, message_id } = input;
  const message_key = message_id === undefined ? null : messageKey(message_id);
  return { value: { user_id, metric_name, value, created_at: now, occurred_at, message_key } };
}
