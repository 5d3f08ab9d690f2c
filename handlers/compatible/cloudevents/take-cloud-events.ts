import { z } from "zod";
import { messageKey } from "../../../domain/events/message-id.ts";
import { endpoint } from "../../contract/endpoint.ts";
import {
  type Act,
  type Fields,
  ForeignBody,
  fieldsOf,
  idOf,
  MAX_FOREIGN_BYTES,
  takeActs,
} from "../intake.ts";

// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md

const ENDPOINT = "cloudEvents";

const hexOf = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Source and id together are unique by contract. They may be longer than a message id of ours. */
const messageIdOf = ({ source, id }: Fields): string | undefined =>
  typeof source === "string" && typeof id === "string"
    ? hexOf(messageKey(JSON.stringify([source, id])))
    : undefined;

/** Data that is no object is a property of its own, because properties have names. */
function propertiesOf({ source, data, data_base64 }: Fields): Fields {
  const isNamed = typeof data === "object" && data !== null && !Array.isArray(data);
  const named = isNamed ? fieldsOf(data) : { data: data ?? data_base64 };
  return Object.fromEntries(Object.entries({ source, ...named }).filter(([, value]) => value !== undefined));
}

function actOf(item: unknown): Act {
  const event = fieldsOf(item);
  return {
    event: {
      event_type: event.type,
      user_id: idOf(event.subject),
      message_id: messageIdOf(event),
      timestamp: event.time,
      properties: propertiesOf(event),
    },
  };
}

export const takeCloudEvents = endpoint({
  name: ENDPOINT,
  method: "POST",
  path: "/apiv1/cloudevents",
  access: "write",
  summary: "CloudEvents 1.0: one event in structured or binary mode, or a batch",
  foreign: { attributes: { prefix: "ce-", marker: "type" } },
  query: z.looseObject({}),
  body: ForeignBody,
  maxBytes: MAX_FOREIGN_BYTES,
  replies: { ok: z.strictObject({ success: z.literal(true) }) },

  async handle(request, world) {
    const items: readonly unknown[] = Array.isArray(request.body) ? request.body : [request.body];
    await takeActs({ endpoint: ENDPOINT, acts: items.map(actOf) }, request, world);
    return { outcome: "ok", body: { success: true as const } };
  },
});
