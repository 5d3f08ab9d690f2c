import { PAGE_VIEW, placeOf, referrerOf, screenOf } from "../../../domain/events/page.ts";
import { type Act, changedFields, type Fields, fieldsOf, idOf, present } from "../intake.ts";

// https://umami.is/docs/api/sending-stats

const pageOf = ({ hostname, language, referrer, screen, title, url, tag }: Fields): Fields =>
  present({
    ...placeOf(url),
    title: title === "" ? undefined : title,
    referrer: referrerOf(referrer, hostname),
    language,
    screen: screenOf(screen),
    hostname,
    tag,
  });

/** An event without a name is a view of a page. */
const typeOf = (type: unknown, name: unknown): unknown => {
  if (type === "identify") return "identify";
  return type === "event" ? name || PAGE_VIEW : undefined;
};

/** The act of an item. `visitor` is the user where the page has not said who they are. */
export function actOf(item: unknown, visitor: string): Act {
  const { type, payload } = fieldsOf(item);
  const fields = fieldsOf(payload);
  const { name, data, id, timestamp } = fields;
  return {
    event: {
      event_type: typeOf(type, name),
      user_id: idOf(id) ?? visitor,
      // In seconds, as no other client sends it.
      timestamp: typeof timestamp === "number" ? timestamp * 1000 : timestamp,
      properties: changedFields(data, (own) => ({ ...pageOf(fields), ...own })),
    },
  };
}

/** The id of the web site, which is the key. */
export function keyOf(body: unknown): string | undefined {
  const first: unknown = Array.isArray(body) ? body[0] : body;
  const { website } = fieldsOf(fieldsOf(first).payload);
  return typeof website === "string" ? website : undefined;
}
