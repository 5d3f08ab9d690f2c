import { expect, test } from "vitest";
import { exclusionOf, groupPlace, holdoutPlace, takeRange } from "../../../domain/experiments/exclusion.ts";

// Computed apart, as the top 53 bits of SHA-256(salt, zero byte, user) over 2⁵³: they must never change, because a user
// who moves in a group could be enrolled in two experiments that exclude each other.
test.each([
  ["group:checkout", groupPlace("checkout", "user-1"), 0.4038144682696637],
  ["holdout:everybody", holdoutPlace("everybody", "user-1"), 0.46648112086726046],
])("the place of user-1 by the salt %s is pinned", (_salt, place, pinned) => {
  expect(place).toBe(pinned);
});

const group = (from: number, to: number) => ({ name: "page", from, to });

test("a range is the first free one that is long enough", () => {
  const taken = [group(0.5, 0.7), group(0, 0.2)];
  expect(takeRange({ name: "page", share: 0.3 }, taken)).toEqual(group(0.2, 0.5));
  expect(takeRange({ name: "page", share: 0.1 }, taken)).toEqual({ name: "page", from: 0.2, to: 0.2 + 0.1 });
});

test("thirds fill a group, whatever their rounding", () => {
  const third = { name: "page", share: 1 / 3 };
  const one = takeRange(third, []);
  const two = takeRange(third, [one]);
  const three = takeRange(third, [one, two]);
  expect([one.from, two.from, three.from, three.to]).toEqual([0, one.to, two.to, expect.closeTo(1, 12)]);
  expect(() => takeRange({ name: "page", share: 0.01 }, [one, two, three])).toThrow("exclusion group");
});

test("every user of a group belongs to exactly one of the experiments that fill it", () => {
  const halves = [group(0, 0.5), group(0.5, 1)];
  for (let n = 0; n < 500; n += 1) {
    const excluded = halves.map((exclusion_group) =>
      exclusionOf({ exclusion_group, holdout: null }, `user-${n}`),
    );
    expect([...excluded].sort()).toEqual(["excluded", undefined]);
  }
});

test("a holdout comes before a group", () => {
  const holdout = { name: "everybody", share: 1 };
  expect(exclusionOf({ exclusion_group: group(0, 1), holdout }, "ann")).toBe("holdout");
});
