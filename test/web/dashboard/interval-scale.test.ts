import fc from "fast-check";
import { expect, test } from "vitest";
import { placeOn, scaleFor, stretchOn } from "../../../web/dashboard/plots/interval-scale.ts";

const value = fc.double({ min: -1e9, max: 1e9, noNaN: true });
const spread = fc.record({
  estimate: fc.option(value),
  interval: fc.option(fc.tuple(fc.option(value), fc.option(value))),
});

test("all values and zero lie within the plot", () => {
  fc.assert(
    fc.property(fc.array(spread), (spreads) => {
      const { low, high } = scaleFor(spreads);
      const drawn = spreads.flatMap(({ estimate, interval }) => [estimate, ...(interval ?? [])]);
      for (const one of [0, ...drawn.filter((found) => found !== null)]) {
        expect(one).toBeGreaterThan(low);
        expect(one).toBeLessThan(high);
      }
    }),
  );
});

test("a scale has two to five ticks, evenly spaced and within it", () => {
  fc.assert(
    fc.property(fc.array(spread), (spreads) => {
      const { low, high, ticks } = scaleFor(spreads);
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(ticks.length).toBeLessThanOrEqual(5);
      expect(ticks.every((tick) => tick >= low && tick <= high)).toBe(true);
    }),
  );
});

test("numbers close to zero are drawn at zero", () => {
  expect(scaleFor([{ estimate: 5e-324, interval: [0, 1e-322] }])).toEqual(scaleFor([]));
});

test("larger values are further to the right", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (a, b) => {
      const scale = scaleFor([{ estimate: a, interval: [b, null] }]);
      expect(Math.sign(placeOn(scale, a) - placeOn(scale, b))).toBe(Math.sign(a - b));
    }),
  );
});

test("an interval without a limit extends beyond the plot on that side, and is marked", () => {
  const scale = { low: -10, high: 10, ticks: [] };
  expect(stretchOn(scale, [null, 5])).toEqual({ from: 0, to: 75, opensLow: true, opensHigh: false });
  expect(stretchOn(scale, [-5, null])).toEqual({ from: 25, to: 100, opensLow: false, opensHigh: true });
});

test.each([
  ["six at two apart would be too many", -0.4, 9.6, [0, 5, 10]],
  ["a little over eight around zero", -3.4, 3.5, [-2, 0, 2, 4]],
  ["hundredths", -0.012, 0.021, [-0.01, 0, 0.01, 0.02]],
  ["one side only", 0, 40, [0, 10, 20, 30, 40]],
])("ticks are at round numbers: %s", (_name, low, high, ticks) => {
  const scale = scaleFor([{ estimate: 0, interval: [low, high] }]);
  expect(scale.ticks.length).toBe(ticks.length);
  for (const [index, tick] of ticks.entries()) expect(scale.ticks[index]).toBeCloseTo(tick, 12);
});
