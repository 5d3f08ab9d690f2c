import { z } from "zod";
import { describe, ExperimentReply, ExperimentStatus } from "../../domain/experiments/experiment.ts";
import { Verdict } from "../../domain/experiments/results/verdict/verdict.ts";
import { wholeNumber } from "../../domain/reports/range.ts";
import { cursorOf } from "../contract/cursor.ts";
import { endpoint, type World } from "../contract/endpoint.ts";

const DEFAULT_PAGE = 50;
const MAX_PAGE = 200;

const { Cursor, next } = cursorOf(z.int().min(1));

/** What the results say in short. */
const Outcome = z.strictObject({ users: z.int(), verdict: Verdict });
const ListedExperiment = ExperimentReply.extend({
  outcome: Outcome.optional().meta({ description: "Only where it was asked for." }),
}).meta({ id: "ListedExperiment" });

/**
 * The outcome of the latest results, which are computed again only when the experiment has new data. None where the
 * experiment was deleted since it was listed.
 */
async function outcomeOf(
  id: number,
  { storage, prepared, now }: World,
): Promise<z.infer<typeof Outcome> | undefined> {
  const measured = await storage.experimentCells(id);
  if (measured === undefined) return undefined;
  const { results, verdict } = prepared.results(measured, now(), {}).body;
  return { users: results.reduce((sum, { users }) => sum + users, 0), verdict };
}

export const listExperiments = endpoint({
  name: "listExperiments",
  method: "GET",
  path: "/apiv1/ab-tests",
  access: "read",
  summary: "List A/B tests, newest first",
  query: z.strictObject({
    status: ExperimentStatus.optional(),
    include: z.literal("outcome").optional().meta({
      description: "`outcome` adds the number of users and the verdict to each test.",
    }),
    limit: wholeNumber(1, MAX_PAGE).default(DEFAULT_PAGE),
    cursor: Cursor.optional(),
  }),
  replies: {
    ok: z.strictObject({ tests: z.array(ListedExperiment), next_cursor: z.string().nullable() }),
  },

  async handle({ query: { status, include, limit, cursor }, gone }, world) {
    // One more than asked for tells whether there is a next page.
    const found = await world.storage.listExperiments({ limit: limit + 1, status, before: cursor });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const next_cursor = found.length > limit && last !== undefined ? next(last.id) : null;
    const tests = page.map(describe);
    if (include === undefined) return { outcome: "ok", body: { tests, next_cursor } };
    const listed: z.infer<typeof ListedExperiment>[] = [];
    for (const test of tests) {
      gone().throwIfAborted();
      const outcome = await outcomeOf(test.id, world);
      if (outcome !== undefined) listed.push({ ...test, outcome });
    }
    return { outcome: "ok", body: { tests: listed, next_cursor } };
  },
});
