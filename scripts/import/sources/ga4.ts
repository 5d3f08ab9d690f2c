import { referrerOf } from "../../../domain/events/page.ts";
import { type Fields, fieldsOf } from "../../../handlers/compatible/intake.ts";
import { deviceOf, filled, firstOf, idFrom, linkOf, pageAt } from "../fields.ts";
import type { Item, Source } from "../source.ts";

// https://support.google.com/analytics/answer/7029846: the tables events_YYYYMMDD.

/** BigQuery writes 64-bit integers as text, also those that a number can hold. */
function integerOf(value: unknown): unknown {
  const number = typeof value === "string" ? Number(value) : value;
  return Number.isSafeInteger(number) ? number : firstOf(value);
}

/** A list of keys with values of one of several types, as an object. */
function parametersOf(list: unknown): Fields {
  if (!Array.isArray(list)) return {};
  const entries = list.map(fieldsOf).map(({ key, value }) => {
    const { string_value, int_value, float_value, double_value } = fieldsOf(value);
    return [String(key), firstOf(string_value, integerOf(int_value), float_value, double_value)] as const;
  });
  return filled(Object.fromEntries(entries));
}

const VISITOR = ["user_id", "user_pseudo_id"];
const IDENTITY = [
  "stream_id",
  "event_name",
  "event_timestamp",
  "event_bundle_sequence_id",
  "batch_page_id",
  "batch_ordering_id",
  "batch_event_index",
  "event_params",
];
const NESTED = ["user_properties", "device", "geo", "collected_traffic_source", "ecommerce"];

function surroundingsOf(row: Fields): Fields {
  const device = fieldsOf(row.device);
  const geo = fieldsOf(row.geo);
  const campaign = fieldsOf(row.collected_traffic_source);
  const ecommerce = fieldsOf(row.ecommerce);
  return {
    device: deviceOf(device.category),
    os: device.operating_system,
    browser: firstOf(fieldsOf(device.web_info).browser, device.browser),
    language: device.language,
    country: geo.country,
    region: geo.region,
    city: geo.city,
    utm_source: campaign.manual_source,
    utm_medium: campaign.manual_medium,
    utm_campaign: campaign.manual_campaign_name,
    utm_term: campaign.manual_term,
    utm_content: campaign.manual_content,
    transaction_id: ecommerce.transaction_id,
    revenue: ecommerce.purchase_revenue,
  };
}

function propertiesOf(row: Fields, parameters: Fields): Fields {
  const { page_location, page_title, page_referrer, ga_session_id: _, ...others } = parameters;
  const at = pageAt(page_location);
  const page = { ...at, title: page_title, referrer: referrerOf(page_referrer, at.hostname) };
  return { ...parametersOf(row.user_properties), ...filled({ ...surroundingsOf(row), ...page }), ...others };
}

function* itemsOf(row: Fields): Generator<Item> {
  const parameters = parametersOf(row.event_params);
  const { ga_session_id } = parameters;
  const user = firstOf(row.user_id, row.user_pseudo_id);
  const microseconds = Number(firstOf(row.event_timestamp) ?? Number.NaN);
  const event = {
    event_type: row.event_name,
    user_id: user,
    // The number of a session is unique for its visitor alone.
    session_id: ga_session_id === undefined ? undefined : `${row.user_pseudo_id ?? user}.${ga_session_id}`,
    // A row of the day so far differs from that of the whole day, but not in these fields.
    message_id: idFrom("ga4", row.user_pseudo_id, ...IDENTITY.map((name) => row[name])),
    timestamp: Math.floor(microseconds / 1000),
    properties: propertiesOf(row, parameters),
  };
  yield { event, link: linkOf(row.user_pseudo_id, row.user_id) };
}

export const ga4: Source = {
  product: "Google Analytics 4",
  origin: "tables events_YYYYMMDD of the BigQuery export, extracted as JSON",
  read: new Set([...VISITOR, ...IDENTITY, ...NESTED]),
  itemsOf,
};
