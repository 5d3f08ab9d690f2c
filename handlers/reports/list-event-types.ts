import { z } from "zod";
import { metaOf } from "../../domain/reports/answer.ts";
import { Catalogue, describeCatalogue } from "../../domain/reports/catalogue.ts";
import { Flag, wholeNumber } from "../../domain/reports/range.ts";
import { endpoint } from "../contract/endpoint.ts";

const DEFAULT_TYPES = 200;
const MAX_TYPES = 2_000;

export const listEventTypes = endpoint({
  name: "listEventTypes",
  method: "GET",
  path: "/apiv1/events/types",
  access: "read",
  summary: "The types of events there are, and their properties",
  query: z.strictObject({
    limit: wholeNumber(1, MAX_TYPES).default(DEFAULT_TYPES),
    verify: Flag,
  }),
  replies: { ok: Catalogue },

  async handle({ query: { limit, verify }, gone }, { storage, now }) {
    const startedAt = now();
    const answered = await storage.eventTypes({
      verify,
      gone: gone(),
      instead: verify ? "Ask without verify." : undefined,
    });
    const meta = metaOf(answered, startedAt, now());
    return { outcome: "ok", body: describeCatalogue(answered.value, limit, meta) };
  },
});
