import type { Instant } from "../../domain/time.ts";
import { DAY } from "../../domain/time.ts";

/** A question as an HTTP request, and the equivalent SQL on the raw events. */
export interface EventQuestion {
  readonly name: string;
  readonly path: string;
  readonly body?: unknown;
  readonly sql: string;
  readonly values: readonly (string | number)[];
  /** Target for the 95th percentile, in milliseconds at ten million events. */
  readonly most: { readonly sqlite: number; readonly postgres: number };
}

const DAYS = 90;
const WEEK = 7 * DAY;

// 1970 began on a Thursday: its first Monday is the fifth of January.
const MONDAY = 4 * DAY;

const day = `occurred_at / ${DAY}`;
const hour = "occurred_at / 3600000";
const week = `(occurred_at - ${MONDAY}) / ${WEEK}`;

const STEPS = ["product_view", "add_to_cart", "purchase"];

/** Questions about the last ninety whole days of the data of fill-events.ts. */
export function eventQuestions(now: Instant): EventQuestion[] {
  const to = Math.ceil(now / DAY) * DAY;
  const from = to - DAYS * DAY;
  const range = `from=${from}&to=${to}`;
  const within = "occurred_at >= ? and occurred_at < ?";
  const values = [from, to];
  return [
    {
      name: "events a day, one type",
      path: `/apiv1/events/trend?event_type=page_view&${range}`,
      sql: `select ${day}, count(*) from events where event_type = ? and ${within} group by 1`,
      values: ["page_view", ...values],
      most: { sqlite: 50, postgres: 50 },
    },
    {
      name: "events an hour, all types",
      path: `/apiv1/events/trend?interval=hour&${range}`,
      sql: `select ${hour}, count(*) from events where ${within} group by 1`,
      values,
      most: { sqlite: 50, postgres: 50 },
    },
    {
      name: "events a day, one type, by a property",
      path: `/apiv1/events/trend?event_type=page_view&breakdown=country&${range}`,
      sql: `select ${day}, properties ->> 'country', count(*) from events where event_type = ? and ${within} group by 1, 2`,
      values: ["page_view", ...values],
      most: { sqlite: 50, postgres: 50 },
    },
    {
      name: "users a day, one type",
      path: `/apiv1/events/trend?event_type=page_view&measure=users&${range}`,
      sql: `select ${day}, count(distinct user_id) from events where event_type = ? and ${within} group by 1`,
      values: ["page_view", ...values],
      most: { sqlite: 50, postgres: 100 },
    },
    {
      name: "users a day, any type",
      path: `/apiv1/events/trend?measure=users&${range}`,
      sql: `select ${day}, count(distinct user_id) from events where ${within} group by 1`,
      values,
      most: { sqlite: 50, postgres: 100 },
    },
    {
      name: "users a day in a zone of half hours",
      path: `/apiv1/events/trend?measure=users&event_type=purchase&timezone=Asia/Kolkata&${range}`,
      sql: `select (occurred_at + 19800000) / ${DAY}, count(distinct user_id) from events
        where event_type = ? and ${within} group by 1`,
      values: ["purchase", ...values],
      most: { sqlite: 50, postgres: 100 },
    },
    {
      name: "weekly retention",
      path: `/apiv1/events/retention?interval=week&periods=8&${range}`,
      sql: `with firsts as (select user_id, min(${week}) as cohort from events where user_id is not null group by 1),
          visits as (select distinct user_id, ${week} as period from events where ${within} and user_id is not null)
        select cohort, period - cohort, count(*) from firsts join visits using (user_id) group by 1, 2`,
      values,
      most: { sqlite: 50, postgres: 100 },
    },
    {
      name: "funnel of three steps",
      path: "/apiv1/events/funnel",
      body: { steps: STEPS.map((event_type) => ({ event_type })), from, to, window_seconds: 7 * 86_400 },
      sql: `with one as (select user_id, min(occurred_at) as at from events
            where event_type = 'product_view' and ${within} and user_id is not null group by 1),
          two as (select e.user_id, min(e.occurred_at) as at from events e join one using (user_id)
            where e.event_type = 'add_to_cart' and e.occurred_at > one.at and e.occurred_at < one.at + ${WEEK} group by 1),
          three as (select e.user_id, min(e.occurred_at) as at from events e join two using (user_id)
            where e.event_type = 'purchase' and e.occurred_at > two.at and e.occurred_at < two.at + ${WEEK} group by 1)
        select (select count(*) from one), (select count(*) from two), (select count(*) from three)`,
      values,
      most: { sqlite: 1_000, postgres: 1_000 },
    },
    {
      name: "a page of the newest events",
      path: "/apiv1/events?limit=50",
      sql: "select * from events order by occurred_at desc, id desc limit 50",
      values: [],
      most: { sqlite: 10, postgres: 20 },
    },
    {
      name: "a page of a rare type",
      path: "/apiv1/events?event_type=refund_requested&limit=50",
      sql: "select * from events where event_type = ? order by occurred_at desc, id desc limit 50",
      values: ["refund_requested"],
      most: { sqlite: 10, postgres: 20 },
    },
    {
      name: "a page of one user",
      path: "/apiv1/events?user_id=user-004321&limit=50",
      sql: "select * from events where user_id = ? order by occurred_at desc, id desc limit 50",
      values: ["user-004321"],
      most: { sqlite: 10, postgres: 20 },
    },
    {
      name: "the types of events",
      path: "/apiv1/events/types",
      sql: "select event_type, count(*), min(occurred_at), max(occurred_at) from events group by 1",
      values: [],
      most: { sqlite: 50, postgres: 50 },
    },
  ];
}
