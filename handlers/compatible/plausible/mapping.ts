import { PAGE_VIEW, placeOf, referrerOf } from "../../../domain/events/page.ts";
import { type Act, changedFields, type Fields, fieldsOf, present } from "../intake.ts";

// https://plausible.io/docs/events-api

/** Our own names for events that other clients send too. */
const EVENT_TYPES = new Map<unknown, unknown>([
  ["pageview", PAGE_VIEW],
  ["Outbound Link: Click", "outbound_link"],
  ["File Download", "download"],
]);

/** A number that JSON cannot keep exactly becomes one that is refused. */
const exact = (_name: string, value: unknown): unknown =>
  Number.isInteger(value) && !Number.isSafeInteger(value) ? Number.POSITIVE_INFINITY : value;

/** Old clients send objects as JSON text. Other text stays as it is, so that it is refused by its name. */
function unpacked(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value, exact);
  } catch {
    return value;
  }
}

const hostnameOf = (url: unknown): string | undefined =>
  typeof url === "string" && URL.canParse(url) ? new URL(url).hostname : undefined;

function revenueOf(revenue: unknown): Fields {
  const { amount, currency } = fieldsOf(unpacked(revenue));
  const number = typeof amount === "string" && amount.trim() !== "" ? Number(amount) : amount;
  return { revenue: Number.isFinite(number) ? number : undefined, currency };
}

function pageOf(fields: Fields): Fields {
  const url = fields.u ?? fields.url;
  const hostname = hostnameOf(url);
  return present({
    ...placeOf(url),
    hostname,
    domain: fields.d ?? fields.domain,
    referrer: referrerOf(fields.r ?? fields.referrer, hostname),
    // Of the event `engagement`: milliseconds, and per cent of the page's height.
    engagement_time: fields.e,
    scroll_depth: fields.sd,
    ...revenueOf(fields.$ ?? fields.revenue),
  });
}

/** The act of an event. Plausible's pages have no ids of users: `visitor` is the one of today. */
export function actOf(body: unknown, visitor: string): Act {
  const fields = fieldsOf(body);
  const name = fields.n ?? fields.name;
  const own = unpacked(fields.p ?? fields.props ?? fields.m ?? fields.meta);
  return {
    event: {
      event_type: EVENT_TYPES.get(name) ?? name,
      user_id: visitor,
      properties: changedFields(own, (properties) => ({ ...pageOf(fields), ...properties })),
    },
  };
}
