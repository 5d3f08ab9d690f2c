import { PAGE_VIEW, screenOf } from "../../../domain/events/page.ts";
import { type Fields, fieldsOf } from "../../../handlers/compatible/intake.ts";
import { deviceOf, filled, firstOf, idFrom, linkOf, pageAt } from "../fields.ts";
import type { Item, Source } from "../source.ts";

// https://developer.matomo.org/api-reference/reporting-api#Live: Live.getLastVisitsDetails. A row is a visit with its actions.

type Read = (action: Fields) => { readonly event_type: unknown; readonly properties: Fields };

const pageOf = ({ url, pageTitle }: Fields): Fields => ({ ...pageAt(url), title: pageTitle });

/** The event of each type of action. */
const ACTIONS: Readonly<Record<string, Read>> = {
  action: (action) => ({ event_type: PAGE_VIEW, properties: pageOf(action) }),
  download: ({ url }) => ({ event_type: "download", properties: { url } }),
  outlink: ({ url }) => ({ event_type: "outbound_link", properties: { url } }),
  search: ({ siteSearchKeyword, siteSearchCategory, siteSearchCount }) => ({
    event_type: "search",
    properties: { keyword: siteSearchKeyword, category: siteSearchCategory, results: siteSearchCount },
  }),
  event: ({ eventCategory, eventAction, eventName, eventValue, ...action }) => ({
    event_type: eventAction,
    properties: { ...pageOf(action), category: eventCategory, name: eventName, value: eventValue },
  }),
  goal: ({ goalName, goalId, revenue, url }) => ({
    event_type: "goal",
    properties: { ...pageAt(url), goal: goalName, goal_id: goalId, revenue },
  }),
  ecommerceOrder: ({ orderId, revenue, items }) => ({
    event_type: "purchase",
    properties: { order_id: orderId, revenue, items },
  }),
  ecommerceAbandonedCart: ({ revenue, items }) => ({
    event_type: "abandoned_cart",
    properties: { revenue, items },
  }),
};

/** Our property for each field of a visit that is one. */
const PROPERTIES: Readonly<Record<string, string>> = {
  browserName: "browser",
  operatingSystemName: "os",
  languageCode: "language",
  country: "country",
  region: "region",
  city: "city",
  referrerName: "referrer",
  campaignName: "utm_campaign",
  campaignSource: "utm_source",
  campaignMedium: "utm_medium",
  campaignKeyword: "utm_term",
  campaignContent: "utm_content",
};

const OTHERS = ["deviceType", "resolution", "idSite", "idVisit", "visitorId", "userId", "actionDetails"];

/** Matomo writes a number as text where its database has a decimal. */
const numeric = (properties: Fields): Fields =>
  Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [
      name,
      NUMBERS.has(name) && typeof value === "string" && value.trim() !== "" ? Number(value) : value,
    ]),
  );
const NUMBERS = new Set(["revenue", "value", "items", "results"]);

function visitProperties(visit: Fields): Fields {
  const named = Object.entries(PROPERTIES).map(([field, name]) => [name, visit[field]]);
  const device = deviceOf(visit.deviceType);
  return filled({ ...Object.fromEntries(named), device, screen: screenOf(visit.resolution) });
}

function itemOf(visit: Fields, action: Fields): Item {
  const type = String(action.type);
  const read = Object.hasOwn(ACTIONS, type) ? ACTIONS[type] : undefined;
  if (read === undefined) return { fault: { path: "type", message: `“${type}” is not imported` } };
  const { event_type, properties } = read(action);
  const seconds = Number(firstOf(action.timestamp) ?? Number.NaN);
  const { idSite, idVisit, visitorId } = visit;
  const event = {
    event_type,
    user_id: firstOf(visit.userId, visitorId),
    session_id: `${idSite}.${idVisit}`,
    // A goal or an order has no id of its own.
    message_id: idFrom("matomo", idSite, idVisit, visitorId, type, firstOf(action.pageId) ?? action),
    timestamp: seconds * 1000,
    properties: { ...visitProperties(visit), ...numeric(filled(properties)) },
  };
  return { event };
}

function* itemsOf(visit: Fields): Generator<Item> {
  if (!Array.isArray(visit.actionDetails)) {
    return yield { fault: { path: "actionDetails", message: "must be a list of actions" } };
  }
  yield { link: linkOf(firstOf(visit.visitorId), firstOf(visit.userId)) };
  for (const action of visit.actionDetails) yield itemOf(visit, fieldsOf(action));
}

export const matomo: Source = {
  product: "Matomo",
  origin: "the answer of Live.getLastVisitsDetails with format=JSON",
  read: new Set([...Object.keys(PROPERTIES), ...OTHERS]),
  itemsOf,
};
