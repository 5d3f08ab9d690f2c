import { z } from "zod";
import { AnnotationReply, describeAnnotation } from "../../../domain/reports/annotation.ts";
import { rangeOf, rangeShape, wholeNumber } from "../../../domain/reports/range.ts";
import { endpoint } from "../../contract/endpoint.ts";
import { unanswerable } from "../../contract/faults.ts";

const DEFAULT_ANNOTATIONS = 100;
const MAX_ANNOTATIONS = 1_000;

export const listAnnotations = endpoint({
  name: "listAnnotations",
  method: "GET",
  path: "/apiv1/annotations",
  access: "read",
  summary: "The annotations of a range, newest first",
  query: z.strictObject({
    ...rangeShape,
    limit: wholeNumber(1, MAX_ANNOTATIONS).default(DEFAULT_ANNOTATIONS),
  }),
  replies: { ok: z.strictObject({ annotations: z.array(AnnotationReply) }) },

  async handle({ query }, { storage, now }) {
    const range = rangeOf(query, now());
    if ("faults" in range) throw unanswerable("query", range.faults);
    const found = await storage.listAnnotations({ ...range.value, limit: query.limit });
    return { outcome: "ok", body: { annotations: found.map(describeAnnotation) } };
  },
});
