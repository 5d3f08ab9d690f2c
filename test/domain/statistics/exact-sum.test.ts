import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addProduct,
  addSums,
  addValue,
  centredProducts,
  centredSquares,
  type ExactSum,
  noSum,
} from "../../../domain/statistics/exact-sum.ts";

const sumOf = (values: readonly number[]): ExactSum => values.reduce(addValue, noSum);
const squaresOf = (values: readonly number[]): ExactSum =>
  values.reduce((sum, value) => addProduct(sum, value, value), noSum);
const spread = (values: readonly number[]): number =>
  centredSquares(values.length, squaresOf(values), sumOf(values));

const Value = fc.double({ min: -1e12, max: 1e12, noNaN: true }).map((value) => value || 0);

/** The definition, over whole quarters and so without any rounding. */
function plainSpread(quarters: readonly number[]): number {
  const n = BigInt(quarters.length);
  const sum = quarters.reduce((total, value) => total + BigInt(value), 0n);
  const squares = quarters.reduce((total, value) => total + BigInt(value) ** 2n, 0n);
  return Number(n * squares - sum ** 2n) / 16 / quarters.length;
}

describe("an exact sum", () => {
  test("of a value and its opposite is that of nothing", () => {
    fc.assert(
      fc.property(Value, Value, (small, large) => {
        const moved = addValue(addValue(sumOf([small]), large), -large);
        expect(moved).toEqual(sumOf([small]));
      }),
    );
  });

  test("does not depend on the order of its values", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1e12, max: 1e12 })), (values) => {
        expect(sumOf([...values].reverse())).toEqual(sumOf(values));
        expect(squaresOf([...values].reverse())).toEqual(squaresOf(values));
      }),
    );
  });

  test("can be added up in parts", () => {
    const Values = fc.array(fc.integer({ min: -1e12, max: 1e12 }));
    fc.assert(
      fc.property(Values, Values, (first, second) => {
        expect(addSums(sumOf(first), sumOf(second))).toEqual(sumOf([...first, ...second]));
      }),
    );
  });

  test.each([1e9, 1e11, 1_763_800_000_000, 1e13])(
    "gives back the spread of 1,000 totals after one was moved up by %d and back",
    (by) => {
      const totals = Array.from({ length: 1_000 }, (_, user) => (user % 17) / 7);
      const before = spread(totals);
      const [first = 0] = totals;
      let [sum, squares] = [sumOf(totals), squaresOf(totals)];
      const far = first + by;
      sum = addValue(addValue(sum, far), -first);
      squares = addProduct(addProduct(squares, far, far), first, -first);
      sum = addValue(addValue(sum, first), -far);
      squares = addProduct(addProduct(squares, first, first), far, -far);
      const after = centredSquares(1_000, squares, sum);
      expect(Math.abs(after / before - 1)).toBeLessThan(1e-9);
    },
  );

  test("keeps the spread of values that differ in their 13th digit", () => {
    const quarters = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(quarters, (parts) => {
        const values = parts.map((part) => 1e12 + part / 4);
        expect(spread(values)).toBeCloseTo(plainSpread(parts), 9);
      }),
    );
  });

  test("gives the covariation of two variables", () => {
    const [x, y] = [
      [1, 2, 3, 4],
      [2, 1, 4, 3],
    ];
    const xy = x.reduce((sum, value, index) => addProduct(sum, value, y[index] ?? 0), noSum);
    expect(centredProducts(4, xy, sumOf(x), sumOf(y))).toBe(3);
  });
});
