import { expect, test } from "vitest";
import { axesOf } from "../../../web/dashboard/plots/time-plot-axes.ts";

const HOUR = 3_600_000;
const DAY_SECONDS = 86_400;
const PALETTE = { ink: "", rule: "", zero: "", paper: "", band: "", fontSize: 13, tones: [] };

/** The axis below values at these times. */
function timeAxisOf(times: readonly number[]) {
  const data = {
    times,
    zone: "Europe/Berlin",
    lines: [],
    unfinished: [],
    zero: "floor",
    formatTick: String,
  } as const;
  const [axis] = axesOf(data, PALETTE);
  return axis;
}

test.each([23, 24, 25, 7 * 24])("values %d hours apart have no tick between two days", (hours) => {
  const steps = timeAxisOf([0, hours * HOUR])?.incrs;
  expect(Array.isArray(steps) && steps.map((step) => step % DAY_SECONDS)).toEqual(Array(20).fill(0));
});

test("hourly values can have a tick at every hour", () => {
  expect(timeAxisOf([0, HOUR])?.incrs).toBeUndefined();
});

test("a single value has its own date as the only tick", () => {
  const only = Date.parse("2026-11-24T23:00:00Z");
  const { splits, values } = timeAxisOf([only]) ?? {};
  expect([splits, values].map((made) => (made as () => unknown)())).toEqual([
    [only / 1000],
    ["25 Nov\n2026"],
  ]);
});
