import { metaOf } from "../../domain/reports/answer.ts";
import { describeTrend, planTrend, Trend, TrendQuery } from "../../domain/reports/trend.ts";
import { endpoint } from "../contract/endpoint.ts";
import { unanswerable } from "../contract/faults.ts";
import { askedMembers } from "./asked-members.ts";
import { askBothPeriods } from "./both-periods.ts";

const INSTEAD =
  "Ask for a shorter time, for fewer or rarer event types, or without where, breakdown, compare and verify.";

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
    const members = await askedMembers(storage, query);
    const { question, previous } = planned.value;
    const asked = { question: { ...question, members }, previous };
    const answered = await askBothPeriods(storage, asked, {
      verify: query.verify,
      gone: gone(),
      instead: INSTEAD,
    });
    const meta = metaOf(answered, startedAt, now());
    return { outcome: "ok", body: describeTrend(query, planned.value, answered.value, meta) };
  },
});
