import { Plan, PlanInput, planSampleSize as plan } from "../../domain/experiments/sample-size.ts";
import { endpoint } from "../contract/endpoint.ts";
import { unanswerable } from "../contract/faults.ts";

export const planSampleSize = endpoint({
  name: "planSampleSize",
  method: "POST",
  path: "/apiv1/sample-size",
  access: "read",
  summary: "How many users an A/B test needs, or which effect it can find",
  body: PlanInput,
  replies: { ok: Plan },

  async handle({ body }) {
    const planned = plan(body);
    if ("faults" in planned) throw unanswerable("plan", planned.faults);
    return { outcome: "ok", body: planned.value };
  },
});
