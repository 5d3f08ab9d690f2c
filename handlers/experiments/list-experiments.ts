import { z } from "zod";
import { describe, ExperimentReply, ExperimentStatus } from "../../domain/experiments/experiment.ts";
import { wholeNumber } from "../../domain/reports/range.ts";
import { cursorOf } from "../contract/cursor.ts";
import { endpoint } from "../contract/endpoint.ts";

const DEFAULT_PAGE = 50;
const MAX_PAGE = 200;

const { Cursor, next } = cursorOf(z.int().min(1));

export const listExperiments = endpoint({
  name: "listExperiments",
  method: "GET",
  path: "/apiv1/ab-tests",
  access: "read",
  summary: "List A/B tests, newest first",
  query: z.strictObject({
    status: ExperimentStatus.optional(),
    limit: wholeNumber(1, MAX_PAGE).default(DEFAULT_PAGE),
    cursor: Cursor.optional(),
  }),
  replies: {
    ok: z.strictObject({ tests: z.array(ExperimentReply), next_cursor: z.string().nullable() }),
  },

  async handle({ query: { status, limit, cursor } }, { storage }) {
    // One more than asked for tells whether there is a next page.
    const found = await storage.listExperiments({ limit: limit + 1, status, before: cursor });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const next_cursor = found.length > limit && last !== undefined ? next(last.id) : null;
    return { outcome: "ok", body: { tests: page.map(describe), next_cursor } };
  },
});
