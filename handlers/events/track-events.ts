import { z } from "zod";
import { senderClock } from "../../domain/clock.ts";
import { EventInput, type NewEvent, usualEvent } from "../../domain/events/event.ts";
import { PAGE_VIEW } from "../../domain/events/page.ts";
import { stampSeen } from "../../domain/events/page-view.ts";
import type { AppendedEvent, EventStore } from "../../domain/storage.ts";
import type { Activity } from "../contract/activity/activity.ts";
import { batchOf, batchReply, takeIn, usualBatch } from "../contract/batch.ts";
import { endpoint } from "../contract/endpoint.ts";
import { StoredTimestamp, storedTimestamp } from "../contract/stored-timestamp.ts";

const Stored = z.strictObject({
  success: z.literal(true),
  id: z.int(),
  timestamp: StoredTimestamp.optional(),
  duplicate: z.literal(true).optional(),
});
const Reply = batchReply(Stored);

export const trackEvents = endpoint({
  name: "trackEvents",
  method: "POST",
  path: "/apiv1/events/batch",
  access: "write",
  summary: "Store many events; a bad one is refused alone",
  body: batchOf("events", EventInput),
  usual: { body: usualBatch },
  lines: true,
  replies: { created: Reply, partial: Reply },

  async handle({ body, minimal, browser }, { storage, now, activity }) {
    const seen = body.items.some(isPageView) ? await browser() : undefined;
    const time = now();
    const clock = senderClock(body.sent_at, time);
    return takeIn(
      body,
      {
        item: EventInput,
        usual: usualEvent,
        check: (input) => stampSeen(input, seen, time, clock),
        store: (events) => append(storage, events, activity),
        refuse: (faults) => activity.noteRefusedItem("trackEvents", faults, time),
        answer: ({ appended, event }) => ({ duplicate: appended.duplicate, item: itemOf(appended, event) }),
      },
      minimal,
    );
  },
});

const isPageView = (item: unknown): boolean =>
  typeof item === "object" && item !== null && "event_type" in item && item.event_type === PAGE_VIEW;

/** Stores the events, and returns each with what storage answered for it. */
async function append(storage: EventStore, events: readonly NewEvent[], activity: Activity) {
  const appended = await storage.appendEvents(events);
  activity.noteEvents(appended);
  return events.flatMap((event, index) => {
    const one = appended[index];
    return one === undefined ? [] : [{ event, appended: one }];
  });
}

const itemOf = ({ id, duplicate }: AppendedEvent, event: NewEvent): z.infer<typeof Stored> =>
  duplicate ? { success: true, id, duplicate } : { success: true, id, ...storedTimestamp(event) };
