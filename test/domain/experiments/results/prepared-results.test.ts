import fc from "fast-check";
import { expect, test } from "vitest";
import type { DayCell, MeasuredExperiment } from "../../../../domain/experiments/cells.ts";
import { PreparedResults } from "../../../../domain/experiments/results/prepared-results.ts";
import { resultsOf } from "../../../../domain/experiments/results/results.ts";
import { timelineOf } from "../../../../domain/experiments/results/timeline.ts";
import { DAY } from "../../../../domain/time.ts";
import { cases } from "../../../random.ts";
import { NOW } from "../../../world.ts";
import { cellsOf, experimentWith } from "./stated-cells.ts";

// A busy machine takes a few times as long as an idle one.
const PATIENCE_MS = cases(60_000);

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

test(
  "prepared answers are those that would be computed now, whatever was asked before and however late it is",
  () => {
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
          const { body, json } = prepared.results(one, NOW + after, question);
          expect(body).toStrictEqual(resultsOf(one.experiment, one, NOW + after, question));
          expect(json).toBe(JSON.stringify(body));
        }
      }),
      { numRuns: cases(30) },
    );
  },
  PATIENCE_MS,
);

const daysOf = (one: MeasuredExperiment): readonly DayCell[] =>
  one.cells.map((cell) => ({ ...cell, day: Math.floor(NOW / DAY) }));

test("a prepared timeline is the one that would be computed now, of the days that storage has now", () => {
  const prepared = new PreparedResults();
  const days = daysOf(planned);
  const at = (after: number, some: readonly DayCell[]) => prepared.timeline(planned, some, NOW + after);
  const computed = (some: readonly DayCell[], completed: boolean) =>
    timelineOf(planned.experiment, some, planned, completed);
  for (const [after, some, completed] of [
    [0, days, false],
    [DAY, days, false],
    [7 * DAY, days, true],
    [6 * DAY, days, false],
    [6 * DAY, days.slice(0, 1), false],
  ] as const) {
    const { body, json } = at(after, some);
    expect(body).toStrictEqual(computed(some, completed));
    expect(json).toBe(JSON.stringify(body));
  }
  expect(at(0, days).body).toBe(at(1, days).body);
});

test("of more experiments than are kept each has its own answer", () => {
  const prepared = new PreparedResults();
  const all = Array.from({ length: 150 }, (_, index) => measured({ id: index + 1, test_name: `t${index}` }));
  for (const _ of [1, 2])
    for (const one of all)
      expect(prepared.results(one, NOW, {}).body.test_name).toBe(one.experiment.test_name);
});

test("only the time of the answer differs while nothing has happened", () => {
  const prepared = new PreparedResults();
  const [first, second] = [0, DAY].map((after) => prepared.results(running, NOW + after, {}).body);
  expect(second).toStrictEqual({ ...first, computed_at: "2026-11-23T10:00:00.000Z" });
});

test("the end of a test changes its verdict without any request that writes", () => {
  const prepared = new PreparedResults();
  const kindAfter = (one: MeasuredExperiment, days: number) =>
    prepared.results(one, NOW + days * DAY, {}).body.verdict.kind;
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
