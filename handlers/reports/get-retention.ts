import { metaOf } from "../../domain/reports/answer.ts";
import {
  describeRetention,
  planRetention,
  Retention,
  RetentionQuery,
} from "../../domain/reports/retention.ts";
import { endpoint } from "../contract/endpoint.ts";
import { unanswerable } from "../contract/faults.ts";
import { askedMembers } from "./asked-members.ts";

const INSTEAD = "Ask for a shorter time, for rarer event types, or without verify.";

export const getRetention = endpoint({
  name: "getRetention",
  method: "GET",
  path: "/apiv1/events/retention",
  access: "read",
  summary: "How many users of each day, week or month come back in those after it",
  query: RetentionQuery,
  replies: { ok: Retention },

  async handle({ query, gone }, { storage, now }) {
    const startedAt = now();
    const planned = planRetention(query, startedAt);
    if ("faults" in planned) throw unanswerable("query", planned.faults);
    const question = { ...planned.value, members: await askedMembers(storage, query) };
    const answered = await storage.retention(question, {
      verify: query.verify,
      gone: gone(),
      instead: INSTEAD,
    });
    const meta = metaOf(answered, startedAt, now());
    return { outcome: "ok", body: describeRetention(query, question, answered.value, startedAt, meta) };
  },
});
