import { type Answered, type Asking, metaOf } from "../../domain/reports/answer.ts";
import {
  describeTrend,
  planTrend,
  questionBefore,
  Trend,
  type TrendPlan,
  TrendQuery,
  type TrendSeries,
} from "../../domain/reports/trend.ts";
import type { EventQuestions } from "../../domain/storage.ts";
import { endpoint } from "../contract/endpoint.ts";
import { unanswerable } from "../contract/faults.ts";

interface Periods {
  readonly series: readonly TrendSeries[];
  readonly before?: readonly TrendSeries[] | undefined;
}

/** Asks for the series of the period, and then of the one before, whose groups are those of the first answer. */
async function askBoth(
  storage: EventQuestions,
  { question, previous }: TrendPlan,
  asking: Asking,
): Promise<Answered<Periods>> {
  const first = await storage.trend(question, asking);
  if (previous === undefined) {
    const { value: series, recomputed } = first;
    return { ...first, value: { series }, recomputed: recomputed && { series: recomputed } };
  }
  const second = await storage.trend(questionBefore(question, previous, first.value), asking);
  const both = [first, second];
  return {
    source: both.some(({ source }) => source === "raw") ? "raw" : "rollup",
    value: { series: first.value, before: second.value },
    recomputed: both.some(({ recomputed }) => recomputed !== undefined)
      ? { series: first.recomputed ?? first.value, before: second.recomputed ?? second.value }
      : undefined,
  };
}

export const getTrend = endpoint({
  name: "getTrend",
  method: "GET",
  path: "/apiv1/events/trend",
  access: "read",
  summary: "Events, users or sessions per hour, day, week or month",
  query: TrendQuery,
  replies: { ok: Trend },

  async handle({ query, gone }, { storage, now }) {
    const startedAt = now();
    const planned = planTrend(query, startedAt);
    if ("faults" in planned) throw unanswerable("query", planned.faults);
    const answered = await askBoth(storage, planned.value, { verify: query.verify, gone: gone() });
    const meta = metaOf(answered, startedAt, now());
    return { outcome: "ok", body: describeTrend(query, planned.value, answered.value, meta) };
  },
});
