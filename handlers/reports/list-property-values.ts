import { metaOf } from "../../domain/reports/answer.ts";
import {
  describePropertyValues,
  PropertyValues,
  PropertyValuesQuery,
  planPropertyValues,
} from "../../domain/reports/property-values.ts";
import { endpoint } from "../contract/endpoint.ts";
import { unanswerable } from "../contract/faults.ts";

export const listPropertyValues = endpoint({
  name: "listPropertyValues",
  method: "GET",
  path: "/apiv1/events/values",
  access: "read",
  summary: "The values of a property, most frequent first",
  query: PropertyValuesQuery,
  replies: { ok: PropertyValues },

  async handle({ query, gone }, { storage, now }) {
    const startedAt = now();
    const planned = planPropertyValues(query, startedAt);
    if ("faults" in planned) throw unanswerable("query", planned.faults);
    const answered = await storage.trend(planned.value.question, { gone: gone() });
    const meta = metaOf(answered, startedAt, now());
    return { outcome: "ok", body: describePropertyValues(query, planned.value, answered.value, meta) };
  },
});
