import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  normalDensity,
  normalLowerTail,
  normalQuantile,
  studentDensity,
  studentQuantile,
  studentUpperTail,
} from "../../../domain/statistics/distributions.ts";
import { cases } from "../../random.ts";

const probabilities = fc.double({ min: -100, max: -0.5, noNaN: true }).map((exponent) => 10 ** exponent);
const degrees = fc.double({ min: 0, max: 9, noNaN: true }).map((exponent) => 10 ** exponent);
const relative = (actual: number, expected: number) => Math.abs(actual / expected - 1);

describe("the normal distribution", () => {
  test("has a quantile that undoes its tail, down to 1e-100", () => {
    fc.assert(
      fc.property(probabilities, (p) => {
        expect(relative(normalLowerTail(normalQuantile(p)), p)).toBeLessThan(1e-11);
      }),
    );
  });

  test("keeps its upper tail where the lower one is 1", () => {
    expect(relative(normalLowerTail(-10), 7.619853024160525e-24)).toBeLessThan(1e-12);
    expect(normalLowerTail(10)).toBe(1);
  });

  test("has the density of the bell curve", () => {
    expect(normalDensity(0)).toBeCloseTo(0.3989422804014327, 15);
  });
});

describe("Student's t distribution", () => {
  test("has a quantile that undoes its tail", () => {
    fc.assert(
      fc.property(probabilities, degrees, (p, df) => {
        const t = -studentQuantile(p, df);
        fc.pre(t < 1e100);
        expect(relative(studentUpperTail(t, df), p)).toBeLessThan(1e-10);
      }),
      { numRuns: cases(500) },
    );
  });

  test("is symmetric", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 50, noNaN: true }), degrees, (t, df) => {
        expect(studentUpperTail(-t, df) + studentUpperTail(t, df)).toBeCloseTo(1, 14);
      }),
    );
    expect(studentQuantile(0.5, 7)).toBe(0);
    expect(studentQuantile(0.9, 7)).toBeCloseTo(-studentQuantile(0.1, 7), 13);
  });

  test("becomes the normal distribution with many degrees of freedom", () => {
    for (const z of [0.1, 1, 1.96, 5, 8]) {
      expect(relative(studentUpperTail(z, 1e12), normalLowerTail(-z))).toBeLessThan(2e-9);
    }
    expect(studentQuantile(0.975, 1e12)).toBeCloseTo(1.959963984540054, 11);
    expect(studentQuantile(0.95, 10)).toBeCloseTo(1.812461122811676, 12);
  });

  test("has a density that is the slope of its tail", () => {
    for (const [t, df] of [
      [0.3, 1],
      [1.7, 4.5],
      [2.5, 1e4],
    ] as const) {
      const slope = (studentUpperTail(t - 1e-5, df) - studentUpperTail(t + 1e-5, df)) / 2e-5;
      expect(relative(studentDensity(t, df), slope)).toBeLessThan(1e-8);
    }
  });

  test("has infinite quantiles at 0 and 1", () => {
    expect(studentQuantile(0, 3)).toBe(Number.NEGATIVE_INFINITY);
    expect(studentQuantile(1, 3)).toBe(Number.POSITIVE_INFINITY);
  });
});
