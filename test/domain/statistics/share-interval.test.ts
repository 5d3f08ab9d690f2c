import fc from "fast-check";
import { expect, test } from "vitest";
import { normalQuantile } from "../../../domain/statistics/distributions.ts";
import { shareInterval } from "../../../domain/statistics/share-interval.ts";

// R. G. Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3.
test.each([
  [81, 263, 0.95, 0.2553, 0.3662],
  [15, 148, 0.95, 0.0624, 0.1605],
  [0, 20, 0.95, 0, 0.1611],
  [1, 29, 0.95, 0.0061, 0.1718],
])("%i of %i at %d is between %d and %d", (some, all, level, low, high) => {
  const [from = Number.NaN, to = Number.NaN] = shareInterval(some, all, level) ?? [];
  expect(from).toBeCloseTo(low, 4);
  expect(to).toBeCloseTo(high, 4);
});

test("there is no interval without users", () => {
  expect(shareInterval(0, 0, 0.95)).toBeNull();
});

const share = fc
  .integer({ min: 1, max: 1_000_000 })
  .chain((all) => fc.tuple(fc.integer({ min: 0, max: all }), fc.constant(all)));

test("an interval holds the share, within 0 and 1, and its ends are those that the score test just allows", () => {
  fc.assert(
    fc.property(share, fc.constantFrom(0.8, 0.95, 0.999), ([some, all], level) => {
      const [low, high] = shareInterval(some, all, level) ?? [Number.NaN, Number.NaN];
      expect(0 <= low && low <= some / all && some / all <= high && high <= 1).toBe(true);
      const z = normalQuantile(1 - (1 - level) / 2);
      for (const end of [low, high].filter((value) => value > 0 && value < 1)) {
        expect(Math.abs(some / all - end) / Math.sqrt((end * (1 - end)) / all)).toBeCloseTo(z, 5);
      }
    }),
  );
});
