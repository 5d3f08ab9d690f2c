import fc from "fast-check";
import { expect, test } from "vitest";
import type { MeasuredExperiment } from "../../../../domain/experiments/cells.ts";
import { PreparedResults } from "../../../../domain/experiments/results/prepared-results.ts";
import { resultsOf } from "../../../../domain/experiments/results/results.ts";
import { DAY } from "../../../../domain/time.ts";
import { NOW } from "../../../world.ts";
import { cellsOf, experimentWith } from "./stated-cells.ts";

const cells = cellsOf({ users: 2_000, signup: 200, sales: 90 }, { users: 2_000, signup: 249, sales: 95 });

const measured = (
  changes: Parameters<typeof experimentWith>[0],
  planned_users_reached_at: number | null = null,
): MeasuredExperiment => ({
  ...cells,
  planned_users_reached_at,
  experiment: experimentWith({ ...changes, planned_users_reached_at }),
});

const running = measured({ description: 'says ,"computed_at":"never"' });
const planned = measured({ planned_users: 4_000, window_days: 7 }, NOW);
const ending = measured({ stop_at: NOW + 3 * DAY });
const stopped = measured({ status: "stopped", stopped_at: NOW + DAY });

test("prepared answers are those that would be computed now, whatever was asked before and however late it is", () => {
  const Asked = fc.record({
    one: fc.constantFrom(running, planned, ending, stopped),
    after: fc.integer({ min: 0, max: 9 * DAY }),
    question: fc.record(
      { confidence: fc.constantFrom(0.8, 0.99), metric: fc.constantFrom("signup", "sales", "undefined") },
      { requiredKeys: [] },
    ),
  });
  fc.assert(
    fc.property(fc.array(Asked, { minLength: 2, maxLength: 8 }), (asked) => {
      const prepared = new PreparedResults();
      for (const { one, after, question } of asked) {
        const { results, json } = prepared.answer(one, NOW + after, question);
        expect(results).toStrictEqual(resultsOf(one.experiment, one, NOW + after, question));
        expect(json).toBe(JSON.stringify(results));
      }
    }),
  );
});

test("only the time of the answer differs while nothing has happened", () => {
  const prepared = new PreparedResults();
  const [first, second] = [0, DAY].map((after) => prepared.answer(running, NOW + after, {}).results);
  expect(second).toStrictEqual({ ...first, computed_at: "2026-11-23T10:00:00.000Z" });
});

test("the end of a test changes its verdict without any request that writes", () => {
  const prepared = new PreparedResults();
  const kindAfter = (one: MeasuredExperiment, days: number) =>
    prepared.answer(one, NOW + days * DAY, {}).results.verdict.kind;
  expect([2, 3, 4].map((days) => kindAfter(ending, days))).toEqual([
    "no_difference_yet",
    "no_difference",
    "no_difference",
  ]);
  expect([6, 7, 6].map((days) => kindAfter(planned, days))).toEqual([
    "no_difference_yet",
    "winner",
    "no_difference_yet",
  ]);
});
