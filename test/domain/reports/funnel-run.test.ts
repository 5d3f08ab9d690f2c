import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FunnelQuestion } from "../../../domain/reports/funnel.ts";
import { bestRun, type Footprint, type Run } from "../../../domain/reports/funnel-run.ts";
import { cases } from "../../random.ts";
import { type Footstep, plainBestRun } from "./plain-runs.ts";

type Order = FunnelQuestion["order"];
const ORDERS: readonly Order[] = ["ordered", "strict", "unordered"];

interface Walk {
  readonly footsteps: readonly Footstep[];
  readonly steps: number;
  readonly window: number;
}

/** Few instants and steps, so that there are ties, restarts, and events that match several steps. */
const walk: fc.Arbitrary<Walk> = fc.integer({ min: 2, max: 4 }).chain((steps) =>
  fc.record({
    steps: fc.constant(steps),
    window: fc.integer({ min: 0, max: 12 }),
    footsteps: fc
      .array(
        fc.record({ occurred_at: fc.nat({ max: 15 }), fits: fc.subarray([0, 1, 2, 3].slice(0, steps)) }),
        {
          maxLength: 9,
        },
      )
      .map((all) =>
        all.sort((a, b) => a.occurred_at - b.occurred_at).map((one, turn) => ({ ...one, id: turn + 1 })),
      ),
  }),
);

const footprintOf = ({ id, occurred_at, fits }: Footstep): Footprint => ({
  id,
  occurred_at,
  steps: fits.reduce((bits, step) => bits + 2 ** step, 0),
});

const runOf = (
  { footsteps, steps, window }: Walk,
  order: Order,
): Pick<Run, "first" | "times"> | undefined => {
  const all = Array.from({ length: steps }, () => ({ event_type: "any", where: [] }));
  const run = bestRun(footsteps.map(footprintOf), { order, steps: all, window_ms: window });
  return run && { first: run.first, times: run.times };
};

const depthOf = (some: Walk, order: Order): number => runOf(some, order)?.times.length ?? 0;

describe("a user's best run", () => {
  test.each(ORDERS)("is the best of all possible runs: %s", (order) => {
    fc.assert(
      fc.property(walk, (some) => {
        const { footsteps, steps, window } = some;
        expect(runOf(some, order)).toEqual(plainBestRun(footsteps, { order, steps, window }));
      }),
      { numRuns: cases(3_000) },
    );
  });

  test("does not have more steps in a stricter order", () => {
    fc.assert(
      fc.property(walk, (some) => {
        expect(depthOf(some, "strict")).toBeLessThanOrEqual(depthOf(some, "ordered"));
        expect(depthOf(some, "ordered")).toBeLessThanOrEqual(depthOf(some, "unordered"));
      }),
    );
  });

  test.each(ORDERS)("does not have fewer steps in a longer window: %s", (order) => {
    fc.assert(
      fc.property(walk, fc.nat({ max: 5 }), (some, more) => {
        const longer = { ...some, window: some.window + more };
        expect(depthOf(longer, order)).toBeGreaterThanOrEqual(depthOf(some, order));
      }),
    );
  });

  test.each(ORDERS)("stays within the window, with times that never decrease: %s", (order) => {
    fc.assert(
      fc.property(walk, (some) => {
        const times = runOf(some, order)?.times ?? [0];
        expect(times).toEqual([...times].sort((a, b) => a - b));
        expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThanOrEqual(some.window);
      }),
    );
  });

  test("in any order does not depend on the numbering of steps", () => {
    fc.assert(
      fc.property(walk, (some) => {
        const renamed = some.footsteps.map((one) => ({
          ...one,
          fits: one.fits.map((step) => some.steps - 1 - step),
        }));
        expect(runOf({ ...some, footsteps: renamed }, "unordered")).toEqual(runOf(some, "unordered"));
      }),
    );
  });

  test("is found among a hundred thousand events in linear time", () => {
    const footsteps = Array.from({ length: 100_000 }, (_, turn) => ({
      id: turn,
      occurred_at: turn,
      fits: [turn % 3],
    }));
    const some = { footsteps, steps: 4, window: 1_000_000 };
    expect(runOf(some, "ordered")).toEqual({ first: 0, times: [0, 1, 2] });
    expect(runOf(some, "unordered")).toEqual({ first: 0, times: [0, 1, 2] });
  });
});
