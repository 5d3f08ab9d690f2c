import { z } from "zod";
import { PAGE_VIEW } from "../events/page.ts";
import { type Instant, IsoTime, MINUTE } from "../time.ts";
import { Meta } from "./answer.ts";
import type { TypeSummary } from "./catalogue.ts";
import { Trend, type TrendPlan, TrendQuery, type TrendQuestion } from "./trend.ts";

/** The lists of an overview: the properties of which the first one that the events have is counted. */
const LISTS = {
  pages: { properties: ["path", "page"], isOfPages: true },
  referrers: { properties: ["referrer"], isOfPages: true },
  campaigns: { properties: ["utm_campaign", "utm_source"], isOfPages: true },
  devices: { properties: ["device"], isOfPages: false },
  countries: { properties: ["country"], isOfPages: false },
} as const;
type ListName = keyof typeof LISTS;
const LIST_NAMES = ["pages", "referrers", "campaigns", "devices", "countries"] as const;

/** Users are active now where an event of theirs happened in the last minutes. */
export const ACTIVE_MINUTES = 30;

export const OverviewQuery = TrendQuery.pick({
  interval: true,
  from: true,
  to: true,
  timezone: true,
  compare: true,
  limit: true,
});
export type OverviewQuery = z.infer<typeof OverviewQuery>;

/** The values of one property among the events of a type, or of all types. */
export interface OverviewList {
  readonly name: ListName;
  /** Null for all types together. */
  readonly event_type: string | null;
  readonly property: string;
}

/** The lists that these types of events have data for: from page views, or else, for facts about users, from all events. */
export function listsOf(types: readonly TypeSummary[]): OverviewList[] {
  const has = (property: string, type?: string): boolean =>
    types.some(
      ({ event_type, properties }) =>
        (type === undefined || event_type === type) && properties.some(({ name }) => name === property),
    );
  return LIST_NAMES.flatMap((name): OverviewList[] => {
    const { properties, isOfPages } = LISTS[name];
    const ofPages = properties.find((property) => has(property, PAGE_VIEW));
    if (ofPages !== undefined) return [{ name, event_type: PAGE_VIEW, property: ofPages }];
    const ofAll = isOfPages ? undefined : properties.find((property) => has(property));
    return ofAll === undefined ? [] : [{ name, event_type: null, property: ofAll }];
  });
}

/** The question of a list: the events of the whole range by value, in one bucket. */
export function listPlan(plan: TrendPlan, { event_type, property }: OverviewList): TrendPlan {
  const wholeOf = ({ from, to }: { from: Instant; to: Instant }) => [from, to];
  const { question, previous } = plan;
  return {
    ...plan,
    question: {
      ...question,
      event_types: event_type === null ? [] : [event_type],
      measure: "count",
      breakdown: property,
      edges: wholeOf(plan),
    },
    previous: previous && { ...previous, edges: wholeOf(previous) },
  };
}

/** The question about the users of the last minutes. */
export const activeQuestion = (now: Instant): TrendQuestion => ({
  event_types: [],
  measure: "users",
  edges: [now - ACTIVE_MINUTES * MINUTE, now + 1],
  where: [],
  limit: 1,
});

const Figure = Trend.shape.series.element.pick({ total: true, values: true, previous: true });

export const Overview = z
  .strictObject({
    interval: Trend.shape.interval,
    timezone: Trend.shape.timezone,
    from: IsoTime,
    to: IsoTime,
    buckets: Trend.shape.buckets,
    previous: Trend.shape.previous,
    /** As a trend of all events answers them. */
    events: Figure,
    users: Figure,
    active: z.strictObject({ minutes: z.int(), users: z.int() }),
    /** The number of events by value; a list without data is absent. */
    lists: z.array(
      z.strictObject({
        name: z.enum(LIST_NAMES),
        event_type: z.string().nullable(),
        property: z.string(),
        rows: z.array(
          z.strictObject({
            group: z.union([z.string(), z.number(), z.boolean()]),
            is_other: z.boolean(),
            total: z.int(),
            previous: z.int().optional(),
          }),
        ),
      }),
    ),
    meta: Meta,
  })
  .meta({ id: "Overview" });
export type Overview = z.infer<typeof Overview>;
