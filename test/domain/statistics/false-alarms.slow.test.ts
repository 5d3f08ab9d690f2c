import { describe, expect, test } from "vitest";
import {
  alike,
  powerRows,
  severalArms,
  shapes,
  splits,
  uploads,
  verdictShare,
  weightChanges,
} from "./simulation.ts";

// The bound is 5 %; three standard errors of 300 tests are allowed on top. The bench runs 2,000.
const TESTS = 300;
const HIGHEST = 0.05 + 3 * Math.sqrt((0.05 * 0.95) / TESTS);
const SEED = 20_260_101;

describe("a test of a thing against itself, looked at 50 times, is rarely decided", () => {
  const cells = Object.entries(shapes).flatMap(([shape, drawn]) =>
    Object.entries(splits).map(([split, weights]) => [shape, split, alike(drawn, weights, 50)] as const),
  );
  test.each(cells)("%s at %s", (_shape, _split, setup) => {
    expect(verdictShare(setup, TESTS, SEED)).toBeLessThanOrEqual(HIGHEST);
  });
});

describe("arms that are alike are rarely told apart", () => {
  test.each([...weightChanges, ...severalArms, ...uploads])("%s", (_name, setup) => {
    expect(verdictShare(setup, TESTS, SEED)).toBeLessThanOrEqual(HIGHEST);
  });
});

describe("a true effect is found as often as when the method was chosen", () => {
  test.each(powerRows)("$name", ({ setup, found }) => {
    expect(Math.abs(100 * verdictShare(setup, 2 * TESTS, SEED) - found)).toBeLessThanOrEqual(3);
  });
});
