import { z } from "zod";
import { EventInput, stamp } from "../../domain/events/event.ts";
import { batchOf, batchReply, skewOf, takeIn } from "../contract/batch.ts";
import { endpoint } from "../contract/endpoint.ts";

const Stored = z.strictObject({
  success: z.literal(true),
  id: z.int(),
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
  lines: true,
  replies: { created: Reply, partial: Reply },

  async handle({ body, minimal }, { storage, now }) {
    const time = now();
    const skew = skewOf(body, time);
    return takeIn(
      body,
      {
        item: EventInput,
        check: (input) => stamp(input, time, skew),
        store: (events) => storage.appendEvents(events),
        answer: ({ id, duplicate }) => ({ duplicate, item: storedItem(id, duplicate) }),
      },
      minimal,
    );
  },
});

const storedItem = (id: number, duplicate: boolean): z.infer<typeof Stored> =>
  duplicate ? { success: true, id, duplicate } : { success: true, id };
