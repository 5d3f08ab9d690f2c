import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { groupKey, groupOf, largest, shownGroup } from "../../../domain/reports/groups.ts";

interface Bag {
  readonly size: number;
  merge(other: Bag): Bag;
}

const bag = (size: number): Bag => ({ size, merge: (other) => bag(size + other.size) });

const shown = (sizes: Readonly<Record<string, number>>, limit: number) => {
  const bags = new Map(Object.entries(sizes).map(([key, size]) => [key, bag(size)]));
  return largest(bags, limit).map(({ group, part }) => [shownGroup(group).group, part.size]);
};

const scalar = fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean());

describe("groups", () => {
  test("convert to keys and back, including the group without a value", () => {
    fc.assert(
      fc.property(scalar, (value) => {
        expect(groupOf(groupKey(value))).toEqual({ kind: "value", value: value === 0 ? 0 : value });
      }),
    );
    expect(groupOf(groupKey(null))).toEqual({ kind: "none" });
  });

  test("differ for values of different types", () => {
    expect(new Set([5, "5", true, "true", null, "null"].map(groupKey)).size).toBe(6);
  });

  test("are sorted by size, then by text, with the rest merged at the end", () => {
    const sizes = { '"c"': 1, '"a"': 3, "5": 2, '"5"': 2, null: 1, true: 2 };
    expect(shown(sizes, 3)).toEqual([
      ["a", 3],
      ["5", 2],
      [5, 2],
      ["__other__", 4],
    ]);
    expect(shown(sizes, 6)).toEqual([
      ["a", 3],
      ["5", 2],
      [5, 2],
      [true, 2],
      ["c", 1],
      [null, 1],
    ]);
  });

  test("are empty without parts", () => {
    expect(shown({}, 3)).toEqual([]);
  });

  test("lose no part, and do not depend on the order of arrival", () => {
    const sizes = fc.dictionary(scalar.map(groupKey), fc.integer({ min: 1, max: 3 }), {
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 5 }), (some, limit) => {
        const total = (all: Iterable<number>) => [...all].reduce((sum, size) => sum + size, 0);
        const found = shown(some, limit);
        expect(found.length).toBeLessThanOrEqual(limit + 1);
        expect(total(found.map(([, size]) => Number(size)))).toBe(total(Object.values(some)));
        expect(shown(Object.fromEntries(Object.entries(some).reverse()), limit)).toEqual(found);
      }),
    );
  });

  test("merge a hundred thousand parts with few copies", () => {
    let copied = 0;
    const counted = (size: number): Bag => ({
      size,
      merge: (other) => {
        copied += size + other.size;
        return counted(size + other.size);
      },
    });
    const bags = new Map(Array.from({ length: 100_000 }, (_, n) => [groupKey(n), counted(1)]));
    expect(largest(bags, 1)[1]?.part.size).toBe(99_999);
    expect(copied / 100_000).toBeLessThan(20);
  });

  test("are shown as their values; null means no value, and merged groups are marked", () => {
    expect(shownGroup({ kind: "value", value: "__other__" })).toEqual({
      group: "__other__",
      is_other: false,
    });
    expect(shownGroup({ kind: "none" })).toEqual({ group: null, is_other: false });
    expect(shownGroup({ kind: "other" })).toEqual({ group: "__other__", is_other: true });
  });
});
