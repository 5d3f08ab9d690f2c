import { type Instant, Timestamp } from "../../../domain/time.ts";
import { type Act, changedFields, type Fields, fieldsOf, type Intake, idOf } from "../intake.ts";

// https://posthog.com/docs/api/capture

/** Our own names for events and properties that other clients send too. */
const EVENT_TYPES: Readonly<Record<string, string>> = {
  $pageview: "page_view",
  $pageleave: "page_leave",
  $screen: "screen_view",
};
const PROPERTIES: Readonly<Record<string, string>> = {
  $current_url: "url",
  $pathname: "path",
  $referrer: "referrer",
};
/** Keys, and what is stored in a field of its own or not at all. */
const LEFT_OUT = new Set(["token", "distinct_id", "$session_id", "$ip"]);

const renamed = (names: Readonly<Record<string, string>>, name: unknown): unknown =>
  typeof name === "string" && Object.hasOwn(names, name) ? names[name] : name;

const propertiesOf = (properties: Fields): Fields =>
  Object.fromEntries(
    Object.entries(properties)
      .filter(([name]) => !LEFT_OUT.has(name))
      .map(([name, value]) => [String(renamed(PROPERTIES, name)), value]),
  );

/** Old clients say how many milliseconds ago an event happened. */
function timestampOf({ timestamp, offset }: Fields, sentAt: Instant): unknown {
  if (timestamp !== undefined || typeof offset !== "number") return timestamp;
  return Math.round(sentAt - offset);
}

function linkOf({ event }: Fields, user_id: unknown, properties: Fields): Fields | undefined {
  if (event === "$create_alias") return { anonymous_id: idOf(properties.alias), user_id };
  const { $anon_distinct_id: anonymous } = properties;
  return event === "$identify" && anonymous !== undefined && anonymous !== null
    ? { anonymous_id: idOf(anonymous), user_id }
    : undefined;
}

/** The act of one event. `sentAt` is only needed for an old client, which sends an offset in place of a timestamp. */
export function actOf(item: unknown, sentAt: Instant): Act {
  const fields = fieldsOf(item);
  const properties = fieldsOf(fields.properties);
  const user_id = idOf(fields.distinct_id ?? properties.distinct_id);
  const timestamp = timestampOf(fields, sentAt);
  const event = {
    event_type: renamed(EVENT_TYPES, fields.event),
    user_id,
    session_id: properties.$session_id,
    message_id: fields.uuid,
    timestamp,
    properties: changedFields(fields.properties, propertiesOf),
  };
  const link = linkOf(fields, user_id, properties);
  if (fields.event !== "$feature_flag_called") return { event, link };
  const { $feature_flag: flag, $feature_flag_response: shown } = properties;
  return { event, link, exposure: { flag, user_id, shown, timestamp } };
}

/** A batch, a list of events, or one event. */
export function intakeOf(endpoint: string, body: unknown, now: Instant): Intake {
  const { batch, sent_at: sentAt } = fieldsOf(body);
  const items = [batch, body].find(Array.isArray) ?? [body];
  const sent = Timestamp.safeParse(sentAt).data ?? now;
  return { endpoint, acts: items.map((item: unknown) => actOf(item, sent)), sentAt };
}

/** The project's key: of the body, or of the first event. */
export function keyOf(body: unknown): string | undefined {
  const first = fieldsOf(Array.isArray(body) ? body[0] : body);
  const [key] = [first.api_key, first.token, fieldsOf(first.properties).token].filter(
    (value) => typeof value === "string",
  );
  return typeof key === "string" ? key : undefined;
}
