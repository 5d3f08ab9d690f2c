import fc from "fast-check";
import { expect, test } from "vitest";
import type { DayCell, ExperimentCells } from "../../../../domain/experiments/cells.ts";
import { resultsOf } from "../../../../domain/experiments/results/results.ts";
import { timelineOf } from "../../../../domain/experiments/results/timeline.ts";
import { DAY } from "../../../../domain/time.ts";
import { NOW } from "../../../world.ts";
import { experimentWith, signup, sumsOf } from "./stated-cells.ts";

const TODAY = Math.floor(NOW / DAY);
const total = { metric_name: "total", kind: "mean", direction: "increase", role: "exploratory" } as const;

const change = fc
  .record({
    day: fc.integer({ min: TODAY - 20, max: TODAY }),
    variant_id: fc.integer({ min: 1, max: 2 }),
    period: fc.integer({ min: 0, max: 2 }),
    converted: fc.integer({ min: 0, max: 200 }),
    others: fc.integer({ min: 0, max: 200 }),
    totals: fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { maxLength: 60 }),
  })
  .map(
    ({ converted, others, totals, ...place }): DayCell => ({
      ...place,
      users: converted + others + totals.length,
      metrics: [sumsOf("signup", converted), sumsOf("total", totals)],
    }),
  );

const EVEN = [
  { variant_id: 1, weight: 1 },
  { variant_id: 2, weight: 1 },
];

const cellsOfDays = (days: readonly DayCell[], planned: boolean): ExperimentCells => ({
  periods: [0, 1, 2].map(() => ({ started_at: NOW, weights: EVEN })),
  cells: days,
  raw: [],
  planned_users_reached_at: planned ? NOW : null,
  pending_rows: 0,
  crossed: 0,
});

test("the last day of the timeline says what the results say, and each day before what they said then", () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 40 }), fc.boolean(), (days, planned) => {
      const experiment = experimentWith({
        metrics: [signup, total],
        planned_users: planned ? 100 : null,
      });
      const cells = cellsOfDays(days, planned);
      const timeline = timelineOf(experiment, days, cells, planned);
      const shown = [...new Set(days.map(({ day }) => day))].sort((a, b) => a - b);
      expect(timeline.days.map(({ day }) => day)).toEqual(
        shown.map((day) => new Date(day * DAY).toISOString().slice(0, 10)),
      );
      for (const [index, day] of shown.entries()) {
        const until = days.filter((one) => one.day <= day);
        const last = index === shown.length - 1;
        const { results } = resultsOf(experiment, cellsOfDays(until, planned && last), NOW);
        expect(timeline.days[index]?.variants).toStrictEqual(
          results.map(({ variant_id, variant_name, is_control, users, metrics }) => ({
            variant_id,
            variant_name,
            is_control,
            users,
            metrics: metrics.map(({ metric_name, mean, comparison }) => ({
              metric_name,
              mean,
              difference: comparison?.difference ?? null,
              interval: comparison?.interval ?? null,
              p_value: comparison?.p_value ?? null,
            })),
          })),
        );
      }
    }),
  );
});

test("an experiment without a change has no day", () => {
  const { days } = timelineOf(experimentWith(), [], { raw: [] }, false);
  expect(days).toEqual([]);
});
