import { metaOf } from "../../domain/reports/answer.ts";
import { describeFunnel, Funnel, FunnelQuery, planFunnel } from "../../domain/reports/funnel.ts";
import { endpoint } from "../contract/endpoint.ts";
import { unanswerable } from "../contract/faults.ts";
import { askedMembers } from "./asked-members.ts";

const INSTEAD = "Ask for a shorter time, for rarer event types, or without where, breakdown and verify.";

export const computeFunnel = endpoint({
  name: "computeFunnel",
  method: "POST",
  path: "/apiv1/events/funnel",
  access: "read",
  summary: "How many users go from step to step, and how long they take",
  body: FunnelQuery,
  replies: { ok: Funnel },

  async handle({ body, gone }, { storage, now }) {
    const startedAt = now();
    const planned = planFunnel(body, startedAt);
    if ("faults" in planned) throw unanswerable("funnel", planned.faults);
    const question = { ...planned.value, members: await askedMembers(storage, body) };
    const answered = await storage.funnel(question, {
      verify: body.verify,
      gone: gone(),
      instead: INSTEAD,
    });
    const meta = metaOf(answered, startedAt, now());
    return { outcome: "ok", body: describeFunnel(question, answered.value, meta) };
  },
});
