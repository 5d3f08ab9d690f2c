import { PAGE_VIEW, placeOf, screenOf } from "../../../domain/events/page.ts";
import type { Fields } from "../../../handlers/compatible/intake.ts";
import { deviceOf, filled, firstOf, idFrom, linkOf, timeOf } from "../fields.ts";
import type { Item, Source } from "../source.ts";

// https://github.com/umami-software/umami: the columns of website_event, which Umami Cloud exports joined with the session's.

const OF_PAGE_VIEWS = "1";

/** Our property for each column that is one. */
const PROPERTIES: Readonly<Record<string, string>> = {
  hostname: "hostname",
  page_title: "title",
  referrer_domain: "referrer",
  utm_source: "utm_source",
  utm_medium: "utm_medium",
  utm_campaign: "utm_campaign",
  utm_term: "utm_term",
  utm_content: "utm_content",
  language: "language",
  browser: "browser",
  os: "os",
  country: "country",
  region: "region",
  city: "city",
  tag: "tag",
};

const OTHERS = [
  "url_path",
  "screen",
  "device",
  "event_id",
  "website_id",
  "session_id",
  "visit_id",
  "distinct_id",
  "created_at",
  "event_type",
  "event_name",
  "url_query",
];

/** A row with another number is of a kind without a name, such as a tracked link. */
const typeOf = (row: Fields): unknown =>
  firstOf(row.event_name) ?? (String(row.event_type) === OF_PAGE_VIEWS ? PAGE_VIEW : undefined);

const pageOf = ({ url_path, url_query }: Fields): Fields =>
  firstOf(url_path) === undefined ? {} : placeOf(`${url_path}?${firstOf(url_query) ?? ""}`);

function eventOf(row: Fields, event_type: unknown): Fields {
  const properties = Object.entries(PROPERTIES).map(([column, name]) => [name, row[column]]);
  return {
    event_type,
    user_id: firstOf(row.distinct_id, row.session_id),
    session_id: firstOf(row.visit_id, row.session_id),
    message_id: firstOf(row.event_id) ?? idFrom("umami", row),
    timestamp: timeOf(row.created_at),
    properties: {
      ...pageOf(row),
      ...filled({
        ...Object.fromEntries(properties),
        screen: screenOf(row.screen),
        device: deviceOf(row.device),
      }),
    },
  };
}

function* itemsOf(row: Fields): Generator<Item> {
  const event_type = typeOf(row);
  if (event_type === undefined) {
    return yield { fault: { path: "event_type", message: `“${row.event_type}” is not imported` } };
  }
  const link = linkOf(firstOf(row.session_id), firstOf(row.distinct_id));
  yield { event: eventOf(row, event_type), link };
}

export const umami: Source = {
  product: "Umami",
  origin: "website_event.csv of the export of Umami Cloud, or that table as CSV with a header",
  read: new Set([...Object.keys(PROPERTIES), ...OTHERS]),
  itemsOf,
};
