import fc from "fast-check";
import { expect, test } from "vitest";
import { assignVariant } from "../../../handlers/experiments/assignments/assign-variant.ts";
import { getResults } from "../../../handlers/experiments/get-results.ts";
import { getTimeline } from "../../../handlers/experiments/get-timeline.ts";
import { trackMetrics } from "../../../handlers/experiments/metrics/track-metrics.ts";
import { updateExperiment } from "../../../handlers/experiments/update-experiment.ts";
import { cases } from "../../random.ts";
import { call, MINUTE, NOW, openWorld, withColours } from "../../world.ts";
import { track } from "./tracked.ts";

const params = { test_id: "1" };
const USERS = Array.from({ length: 130 }, (_, index) => `user-${index}`);

const extreme = fc.constantFrom(0, 1e12, -1e12, 5e-324, -1e-200, 1e11 + 0.1, 1, 3);
const kind = fc.constantFrom("mean", "count", "conversion");
const covariate = fc.constantFrom(
  undefined,
  { attribute: "before" },
  { event_type: "order", property: "amount" },
);

const story = fc.record({
  kind,
  covariate,
  cap: fc.constantFrom(undefined, 1e-300, 1e13),
  window_days: fc.constantFrom(undefined, 1, 366),
  margin: fc.constantFrom(undefined, 1e-300, 1e300, { relative: 1 }),
  values: fc.array(extreme, { minLength: 1, maxLength: 7 }),
  before: fc.array(extreme, { minLength: 1, maxLength: 5 }),
  ends: fc.constantFrom(
    {},
    { status: "paused" },
    { status: "stopped" },
    { status: "stopped", winner: "blue" },
  ),
});

const at = (list: readonly number[], index: number): number => list[index % list.length] ?? 0;

test("whatever is stored, results answer, and each figure is a finite number or null", async () => {
  await fc.assert(
    fc.asyncProperty(story, async ({ kind, covariate, cap, window_days, margin, values, before, ends }) => {
      const world = openWorld();
      const own = { covariate, window_days, ...(kind === "conversion" ? {} : { cap }) };
      const metrics = [
        { metric_name: "m", kind, ...own },
        { metric_name: "guarded", kind, role: "guardrail", margin },
        { metric_name: "per_m", kind: "ratio", denominator: "m" },
      ];
      await withColours(world, { changes: { metrics } });
      const orders = USERS.map((user_id, index) => ({
        event_type: "order",
        user_id,
        timestamp: NOW - MINUTE,
        properties: { amount: at(before, index), tier: at(before, index) },
      }));
      await track(world, ...orders);
      for (const [index, user_id] of USERS.entries())
        await call(assignVariant, world, {
          params,
          body: { user_id, attributes: { before: at(before, index) } },
        });
      const tracked = USERS.flatMap((user_id, index) =>
        ["m", "guarded", "per_m"].map((metric_name) => ({ user_id, metric_name, value: at(values, index) })),
      );
      await call(trackMetrics, world, { params, body: tracked });
      if ("status" in ends) await call(updateExperiment, world, { params, body: ends });
      for (const query of [{}, { segment: "tier" }, { confidence: "0.999999" }, { metric: "per_m" }]) {
        const { outcome, body } = await call(getResults, world, { params, query });
        expect(outcome).toBe("ok");
        expect(JSON.parse(JSON.stringify(body))).toStrictEqual(body);
      }
      const { body } = await call(getTimeline, world, { params });
      expect(JSON.parse(JSON.stringify(body))).toStrictEqual(body);
    }),
    { numRuns: cases(8) },
  );
}, 60_000);
