import { type Act, changedFields, type Fields, fieldsOf, idOf, present } from "../intake.ts";

// https://segment.com/docs/connections/spec/

export type Call = "track" | "page" | "screen" | "identify" | "group" | "alias";

/** The page's client posts to the first letter of a call. */
export const CALLS: ReadonlyMap<unknown, Call> = new Map(
  (["track", "page", "screen", "identify", "group", "alias"] as const).flatMap((call): [string, Call][] => [
    [call, call],
    [call.slice(0, 1), call],
  ]),
);

const PAGE_FIELDS = ["path", "referrer", "search", "title", "url"] as const;

/** The item's context as flat properties, because reports cannot ask about nested ones. */
function contextProperties(item: Fields): Fields {
  const context = fieldsOf(item.context);
  const page = fieldsOf(context.page);
  const campaign = fieldsOf(context.campaign);
  return present({
    ...Object.fromEntries(PAGE_FIELDS.map((name) => [name, page[name]])),
    utm_campaign: campaign.name,
    utm_source: campaign.source,
    utm_medium: campaign.medium,
    utm_term: campaign.term,
    utm_content: campaign.content,
    locale: context.locale,
    timezone: context.timezone,
    library: fieldsOf(context.library).name,
  });
}

/** The event type of each call, and its properties without those of the context. */
const EVENTS: Record<
  Exclude<Call, "alias">,
  (item: Fields) => { event_type: unknown; properties: unknown }
> = {
  track: ({ event, properties }) => ({ event_type: event, properties }),
  page: ({ name, category, properties }) => ({
    event_type: "page_view",
    properties: withNames({ name, category }, properties),
  }),
  screen: ({ name, category, properties }) => ({
    event_type: "screen_view",
    properties: withNames({ name, category }, properties),
  }),
  identify: ({ traits }) => ({ event_type: "identify", properties: traits }),
  group: ({ groupId, traits }) => ({
    event_type: "group",
    properties: withNames({ group_id: groupId }, traits),
  }),
};

const withNames = (names: Fields, properties: unknown): unknown =>
  changedFields(properties, (fields) => ({ ...present(names), ...fields }));

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

function eventOf(call: Exclude<Call, "alias">, item: Fields): Fields {
  const { event_type, properties } = EVENTS[call](item);
  return {
    event_type,
    user_id: idOf(item.userId ?? item.anonymousId),
    message_id: item.messageId,
    timestamp: item.timestamp ?? item.originalTimestamp,
    properties: withNames(contextProperties(item), properties),
  };
}

function linkOf(call: Call, { userId, anonymousId, previousId }: Fields): Fields | undefined {
  if (call === "alias") return { anonymous_id: idOf(previousId), user_id: idOf(userId ?? anonymousId) };
  const isLogin = call === "identify" && !isAbsent(userId) && !isAbsent(anonymousId);
  return isLogin ? { anonymous_id: idOf(anonymousId), user_id: idOf(userId) } : undefined;
}

/** The act of an item. `call` is the one of its path; an item of a batch has its own. */
export function actOf(item: unknown, call?: Call): Act {
  const fields = fieldsOf(item);
  const known = call ?? CALLS.get(fields.type);
  // Refused by its name, as every event is.
  if (known === undefined) return { event: { event_type: undefined, type: fields.type } };
  return {
    ...(known === "alias" ? {} : { event: eventOf(known, fields) }),
    link: linkOf(known, fields),
  };
}
