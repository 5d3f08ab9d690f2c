import { type Answered, type Asking, joinedCountsOnly, metaOf } from "../../domain/reports/answer.ts";
import {
  ACTIVE_MINUTES,
  activeQuestion,
  listPlan,
  listsOf,
  Overview,
  type OverviewList,
  OverviewQuery,
} from "../../domain/reports/overview.ts";
import {
  describeTrend,
  type Measure,
  planTrend,
  type Trend,
  type TrendPlan,
  type TrendQuery,
} from "../../domain/reports/trend.ts";
import type { EventQuestions } from "../../domain/storage.ts";
import { endpoint } from "../contract/endpoint.ts";
import { unanswerable } from "../contract/faults.ts";
import { askBothPeriods, type BothPeriods } from "./both-periods.ts";

/** The trend of all events that an overview shows a figure of. */
export const trendOf = (query: OverviewQuery, measure: Measure): TrendQuery => ({
  ...query,
  event_type: [],
  measure,
  where: [],
  experiment: {},
  verify: false,
});

function planned(query: TrendQuery, now: number): TrendPlan {
  const plan = planTrend(query, now);
  if ("faults" in plan) throw unanswerable("query", plan.faults);
  return plan.value;
}

type Series = Trend["series"];

/** The rows of a list. Events without a value have none. */
const rowsOf = (series: Series): Overview["lists"][number]["rows"] =>
  series.flatMap(({ group, is_other = false, total, previous }) =>
    group === null || group === undefined
      ? []
      : [{ group, is_other, total, ...(previous && { previous: previous.total }) }],
  );

/** Asks one question after the other: an overview takes one of the places for reports, and not all of them. */
async function inTurn<T, U>(items: readonly T[], ask: (item: T) => Promise<U>): Promise<U[]> {
  const answers: U[] = [];
  for (const item of items) answers.push(await ask(item));
  return answers;
}

interface Asked {
  readonly plan: TrendPlan;
  readonly asking: Asking;
  readonly now: number;
}

/** Everything that an overview counts. */
async function askAll(storage: EventQuestions, { plan, asking, now }: Asked) {
  const ask = (asked: TrendPlan): Promise<Answered<BothPeriods>> => askBothPeriods(storage, asked, asking);
  const events = await ask(plan);
  const users = await ask({ ...plan, question: { ...plan.question, measure: "users" } });
  const active = await storage.trend(activeQuestion(now), asking);
  const found = listsOf((await storage.eventTypes(asking)).value);
  const lists = await inTurn(found, async (list) => ({ list, answer: await ask(listPlan(plan, list)) }));
  return { events, users, active, lists };
}

export const getOverview = endpoint({
  name: "getOverview",
  method: "GET",
  path: "/apiv1/overview",
  access: "read",
  summary:
    "Events and users of a range, who is active now, and the top pages, referrers, campaigns, devices and countries",
  query: OverviewQuery,
  replies: { ok: Overview },

  async handle({ query, gone }, { storage, now }) {
    const startedAt = now();
    const asked = trendOf(query, "count");
    const plan = planned(asked, startedAt);
    const { events, users, active, lists } = await askAll(storage, {
      plan,
      asking: { gone: gone(), instead: "Ask for a shorter time." },
      now: startedAt,
    });
    const all = [events, users, active, ...lists.map(({ answer }) => answer)];
    const source = all.some((one) => one.source === "raw") ? "raw" : "rollup";
    const meta = metaOf({ source, value: undefined, countsOnly: joinedCountsOnly(all) }, startedAt, now());
    const shown = (list: TrendPlan, answer: Answered<BothPeriods>): Trend =>
      describeTrend(asked, list, answer.value, meta);
    const { interval, timezone, from, to, buckets, previous, series } = shown(plan, events);
    const figure = ([one]: Series) => {
      const { total = 0, values = [], previous } = one ?? {};
      return { total, values, ...(previous && { previous }) };
    };
    const shownList = ({ list, answer }: { list: OverviewList; answer: Answered<BothPeriods> }) => ({
      ...list,
      rows: rowsOf(shown(listPlan(plan, list), answer).series),
    });
    return {
      outcome: "ok",
      body: {
        ...{ interval, timezone, from, to, buckets },
        ...(previous && { previous }),
        events: figure(series),
        users: figure(shown(plan, users).series),
        active: { minutes: ACTIVE_MINUTES, users: active.value[0]?.total ?? 0 },
        lists: lists.map(shownList),
        meta,
      },
    };
  },
});
