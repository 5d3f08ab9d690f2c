import { z } from "zod";
import { EventInput, MAX_EVENT_BYTES, stamp, usualEvent } from "../../domain/events/event.ts";
import { PAGE_VIEW } from "../../domain/events/page.ts";
import { stampSeen } from "../../domain/events/page-view.ts";
import { IsoTime, isoTime } from "../../domain/time.ts";
import { endpoint } from "../contract/endpoint.ts";
import { invalid } from "../contract/faults.ts";
import { StoredTimestamp, storedTimestamp } from "../contract/stored-timestamp.ts";

const Stored = z.strictObject({
  success: z.literal(true),
  id: z.int(),
  created_at: IsoTime,
  timestamp: StoredTimestamp.optional(),
});

export const trackEvent = endpoint({
  name: "trackEvent",
  method: "POST",
  path: "/apiv1/events",
  access: "write",
  summary: "Store one event",
  body: EventInput,
  usual: { body: usualEvent },
  maxBytes: MAX_EVENT_BYTES,
  replies: { created: Stored, ok: Stored.extend({ duplicate: z.literal(true) }) },

  async handle({ body, browser }, { storage, now, activity }) {
    const event =
      body.event_type === PAGE_VIEW ? stampSeen(body, await browser(), now()) : stamp(body, now());
    if ("faults" in event) throw invalid("event", event.faults);
    const [stored] = await storage.appendEvents([event.value]);
    activity.noteEvents([stored]);
    const answer = { success: true, id: stored.id, created_at: isoTime(stored.created_at) } as const;
    if (stored.duplicate) return { outcome: "ok", body: { ...answer, duplicate: true as const } };
    return { outcome: "created", body: { ...answer, ...storedTimestamp(event.value) } };
  },
});
