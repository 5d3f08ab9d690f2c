import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  adjustedInterval,
  benjaminiHochberg,
  bonferroni,
  holm,
  preferentialBonferroni,
} from "../../../domain/statistics/multiple-testing.ts";

const pValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 });

describe("adjusted p-values", () => {
  test.each([
    ["Holm", holm],
    ["Benjamini–Hochberg", benjaminiHochberg],
    ["Bonferroni", bonferroni],
  ])("of %s keep the order of the raw ones, never fall below them and stay at most 1", (_name, adjust) => {
    fc.assert(
      fc.property(pValues, (raw) => {
        const adjusted = adjust(raw);
        raw.forEach((p, i) => {
          expect(adjusted[i]).toBeGreaterThanOrEqual(p);
          expect(adjusted[i]).toBeLessThanOrEqual(1);
          raw.forEach((other, j) => {
            if (p < other) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j] ?? Number.NaN);
          });
        });
      }),
    );
  });

  test("do not depend on the order in which the comparisons stand", () => {
    fc.assert(
      fc.property(pValues, (raw) => {
        const reversed = [...raw].reverse();
        expect(holm(reversed).reverse()).toEqual(holm(raw));
        expect(benjaminiHochberg(reversed).reverse()).toEqual(benjaminiHochberg(raw));
      }),
    );
  });

  test("of Holm never exceed Bonferroni's, of Benjamini–Hochberg never Holm's", () => {
    fc.assert(
      fc.property(pValues, (raw) => {
        const [b, h, bh] = [bonferroni(raw), holm(raw), benjaminiHochberg(raw)];
        raw.forEach((_, i) => {
          expect(h[i]).toBeLessThanOrEqual(b[i] ?? Number.NaN);
          expect(bh[i]).toBeLessThanOrEqual((h[i] ?? Number.NaN) * (1 + 1e-12));
        });
      }),
    );
  });

  test("of a single comparison are the raw one, of none are none", () => {
    expect(holm([0.03])).toEqual([0.03]);
    expect(benjaminiHochberg([0.03])).toEqual([0.03]);
    expect(holm([])).toEqual([]);
    expect(benjaminiHochberg([])).toEqual([]);
  });
});

describe("an adjusted interval", () => {
  test("excludes 0 exactly when the adjusted p-value is below alpha", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 0.99, noNaN: true }),
        fc.constantFrom(-0.3, 0.2, 4),
        (p, estimate) => {
          fc.pre(Math.abs(p - 0.05) > 1e-6);
          const [lower, upper] = adjustedInterval(estimate, p, 0.05);
          expect(lower > 0 || upper < 0).toBe(p < 0.05);
        },
      ),
    );
  });

  test("is unbounded when nothing is known and never narrower than the unadjusted one", () => {
    expect(adjustedInterval(0.1, 1, 0.05)).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
    expect(adjustedInterval(0, 0.5, 0.05)).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
    expect(adjustedInterval(0.1, 1e-6, 0.05, [-3, 4])).toEqual([-3, 4]);
  });
});

test("a primary metric without others takes its share of alpha and leaves the rest unused", () => {
  expect(preferentialBonferroni(0.05, 0.5, 2, 1)).toEqual({ primary: 0.0125, other: 0 });
});
