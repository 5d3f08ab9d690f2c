import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addValue,
  addZeros,
  type Moments,
  mergeMoments,
  momentsOf,
  moveValue,
  noMoments,
  variance,
} from "../../../domain/statistics/moments.ts";
import {
  addPair,
  mergePairs,
  noPairs,
  pairedConversions,
} from "../../../domain/statistics/paired-moments.ts";

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 0, maxLength: 40 });

/** Equal up to rounding, in proportion to the size of the values that went in. */
function expectSame(actual: Moments, expected: Moments, scale: number): void {
  expect(actual.n).toBe(expected.n);
  expect(Math.abs(actual.mean - expected.mean)).toBeLessThanOrEqual(1e-12 * scale);
  expect(Math.abs(actual.m2 - expected.m2)).toBeLessThanOrEqual(1e-12 * scale * scale * (expected.n + 1));
}

const scaleOf = (list: readonly number[]) => Math.max(1e-100, ...list.map(Math.abs));
const onePass = (list: readonly number[]) => list.reduce(addValue, noMoments);

describe("moments", () => {
  test("added value by value equal those of the whole list", () => {
    fc.assert(fc.property(values, (list) => expectSame(onePass(list), momentsOf(list), scaleOf(list))));
  });

  test("of two parts merge to those of the whole", () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const merged = mergeMoments(momentsOf(a), momentsOf(b));
        expectSame(merged, momentsOf([...a, ...b]), scaleOf([...a, ...b]));
      }),
    );
  });

  test("do not depend on the order of arrival", () => {
    fc.assert(
      fc.property(values, (list) => {
        const shuffled = [...list].sort((a, b) => Math.sin(a) - Math.sin(b));
        expectSame(onePass(shuffled), onePass(list), scaleOf(list));
      }),
    );
  });

  test("follow a user's total that moves as if they were computed anew", () => {
    const list = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(list, fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.nat(), (before, to, pick) => {
        const moved = pick % before.length;
        const after = before.map((value, user) => (user === moved ? to : value));
        const moments = moveValue(momentsOf(before), before[moved] ?? 0, to);
        expectSame(moments, momentsOf(after), scaleOf([...before, to]));
        expect(moments.m2).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("count users without a value as zeros", () => {
    fc.assert(
      fc.property(values, fc.nat(20), (list, zeros) => {
        const whole = momentsOf([...list, ...Array.from({ length: zeros }, () => 0)]);
        expectSame(addZeros(momentsOf(list), zeros), whole, scaleOf(list));
      }),
    );
  });

  test("of nothing change nothing", () => {
    const some = momentsOf([1, 2, 4]);
    expect(mergeMoments(noMoments, some)).toEqual(some);
    expect(mergeMoments(some, noMoments)).toEqual(some);
    expect(addZeros(noMoments, 3)).toEqual({ n: 3, mean: 0, m2: 0 });
    expect(addZeros(some, 0)).toEqual(some);
    expect(moveValue(noMoments, 1, 2)).toEqual(noMoments);
    expect(momentsOf([])).toEqual(noMoments);
  });

  test.each([[0.1], [1e15 / 3], [1e-12], [-7.3]])(
    "of equal values %f have a variance of exactly 0",
    (value) => {
      const equal = Array.from({ length: 1_000 }, () => value);
      expect(momentsOf(equal).m2).toBe(0);
      expect(onePass(equal).m2).toBe(0);
      expect(mergeMoments(onePass(equal), onePass(equal)).m2).toBe(0);
    },
  );

  test.each([1e15, -1e15, 1e7])("keep the small differences of values near %d", (offset) => {
    const list = [offset, offset + 1, offset + 2, offset + 3];
    expect(variance(momentsOf(list))).toBeCloseTo(5 / 3, 12);
    expect(variance(onePass(list))).toBeCloseTo(5 / 3, 1);
    const moved = moveValue(momentsOf([offset, offset + 1, offset + 2, offset + 9]), offset + 9, offset + 3);
    expect(variance(moved)).toBeCloseTo(5 / 3, 0);
  });

  test("keep the precision of values near 1e-12", () => {
    expect((variance(momentsOf([1e-12, 2e-12, 3e-12])) ?? 0) / 1e-24).toBeCloseTo(1, 14);
  });

  test("have no variance below two values", () => {
    expect(variance(noMoments)).toBeNull();
    expect(variance(momentsOf([5]))).toBeNull();
    expect(variance(momentsOf([5, 7]))).toBe(2);
  });
});

describe("paired moments", () => {
  const pairs = fc.array(
    fc.tuple(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: -1000, max: 1000 })),
    {
      maxLength: 30,
    },
  );
  const collect = (list: readonly [number, number][]) =>
    list.reduce((moments, [x, y]) => addPair(moments, x, y), noPairs);

  test("merge to those of the whole", () => {
    fc.assert(
      fc.property(pairs, pairs, (a, b) => {
        const [merged, whole] = [mergePairs(collect(a), collect(b)), collect([...a, ...b])];
        expect(merged.x.n).toBe(whole.x.n);
        expect(merged.product).toBeCloseTo(whole.product, 4);
        expect(merged.x.m2).toBeCloseTo(whole.x.m2, 4);
      }),
    );
  });

  test("of a value with itself have its sum of squares as their product", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1000, max: 1000 })), (list) => {
        const moments = collect(list.map((value) => [value, value]));
        expect(moments.product).toBeCloseTo(moments.x.m2, 5);
      }),
    );
  });

  test("of counted conversions equal those of the zeros and ones", () => {
    const users: [number, number][] = [
      [1, 1],
      [1, 0],
      [0, 1],
      [0, 0],
      [0, 1],
    ];
    const counted = pairedConversions(5, 2, 3, 1);
    expect(counted.product).toBeCloseTo(collect(users).product, 14);
    expect(counted.x.m2).toBeCloseTo(collect(users).x.m2, 14);
    expect(counted.y.m2).toBeCloseTo(collect(users).y.m2, 14);
  });
});
