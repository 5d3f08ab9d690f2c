import { expect, test } from "vitest";
import type { Source } from "../../domain/reports/answer.ts";
import type { TypeSummary } from "../../domain/reports/catalogue.ts";
import { builtRollups } from "../../scripts/commands/rollups.ts";

const summary = (count: number): TypeSummary => ({
  event_type: "click",
  count,
  first_seen: 0,
  last_seen: 0,
  properties: [],
  may_have_more_properties: false,
});

/** A storage whose rollups are complete when the catalogue is asked for the n-th time. */
function behind(n: number) {
  let asked = 0;
  return {
    check: async () => ({ state: "ok" }) as const,
    eventTypes: async () => {
      asked += 1;
      const source: Source = asked < n ? "raw" : "rollup";
      return { source, value: [summary(asked)] };
    },
  };
}

test("a command waits for rollups that one question does not complete", async () => {
  expect(await builtRollups(behind(3))).toEqual({ events: 3, types: 1 });
});

test("a command does not wait for ever where rollups cannot be completed", async () => {
  expect(await builtRollups(behind(Number.POSITIVE_INFINITY))).toEqual({ events: 20, types: 1 });
});

test("events of which only the number is kept are not in the rollups", async () => {
  const types = [
    { ...summary(5), counts_only: 3 },
    { ...summary(4), event_type: "gone", counts_only: 4 },
  ];
  const storage = { ...behind(1), eventTypes: async () => ({ source: "rollup", value: types }) as const };
  expect(await builtRollups(storage)).toEqual({ events: 2, types: 1 });
});
