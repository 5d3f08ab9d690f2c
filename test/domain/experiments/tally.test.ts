import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addCounted,
  addRaw,
  emptyTally,
  type MetricTally,
  mergeRaw,
  noRaw,
  type UserTotal,
} from "../../../domain/experiments/tally.ts";

const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const entry = fc.record({ user: fc.constantFrom("ann", "bob", "cyd"), value: number });
const SCALE = 1e6 * 40;

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

function plain(values: readonly number[]) {
  const mean = values.length === 0 ? 0 : sumOf(values) / values.length;
  return { n: values.length, mean, m2: sumOf(values.map((value) => (value - mean) ** 2)) };
}

type Entry = { readonly user: string; readonly value: number };

function tallied(entries: readonly Entry[]): MetricTally {
  const totals = new Map<string, UserTotal>();
  let tally = emptyTally("m");
  for (const { user, value } of entries) {
    const added = addCounted(tally, totals.get(user), value);
    tally = added.tally;
    totals.set(user, added.total);
  }
  return tally;
}

function expectClose(found: MetricTally, entries: readonly Entry[]): void {
  const users = [...new Set(entries.map(({ user }) => user))];
  const perUser = users.map((user) => entries.filter((one) => one.user === user).map(({ value }) => value));
  const [sums, counts] = [plain(perUser.map(sumOf)), plain(perUser.map((values) => values.length))];
  expect([found.count, found.sums.n, found.counts.n]).toEqual([entries.length, users.length, users.length]);
  expect(Math.abs(found.sum - sumOf(entries.map(({ value }) => value)))).toBeLessThanOrEqual(SCALE * 1e-12);
  expect(Math.abs(found.sums.mean - sums.mean)).toBeLessThanOrEqual(SCALE * 1e-12);
  expect(Math.abs(found.sums.m2 - sums.m2)).toBeLessThanOrEqual(SCALE ** 2 * 1e-12);
  expect(found.counts.mean).toBeCloseTo(counts.mean, 9);
  expect(found.counts.m2).toBeCloseTo(counts.m2, 9);
}

test("values added one by one come to what a plain computation over all of them does", () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 40 }), (entries) => expectClose(tallied(entries), entries)),
  );
});

test("the order in which they come does not matter", () => {
  const shuffled = fc
    .array(entry, { maxLength: 40 })
    .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));
  fc.assert(fc.property(shuffled, ([all, other]) => expectClose(tallied(other), all)));
});

test("squared deviations are never negative", () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 40 }), (entries) => {
      const { sums, counts } = tallied(entries);
      expect(Math.min(sums.m2, counts.m2)).toBeGreaterThanOrEqual(0);
    }),
  );
});

test("a user's total is the user's values, and only the first makes a new user", () => {
  const first = addCounted(emptyTally("m"), undefined, 3);
  expect(first).toEqual({
    total: { count: 1, sum: 3 },
    tally: {
      ...emptyTally("m"),
      count: 1,
      sum: 3,
      sums: { n: 1, mean: 3, m2: 0 },
      counts: { n: 1, mean: 1, m2: 0 },
    },
  });
  expect(addCounted(first.tally, first.total, -5)).toEqual({
    total: { count: 2, sum: -2 },
    tally: {
      ...emptyTally("m"),
      count: 2,
      sum: -2,
      sums: { n: 1, mean: -2, m2: 0 },
      counts: { n: 1, mean: 2, m2: 0 },
    },
  });
});

test("counting changes nothing of the tally that it was given", () => {
  const tally = Object.freeze(emptyTally("m"));
  addCounted(tally, undefined, 1);
  expect(tally).toEqual(emptyTally("m"));
});

const integers = fc.array(fc.integer({ min: -1_000, max: 1_000 }), { maxLength: 20 });
const rawOf = (values: readonly number[]) => values.reduce(addRaw, noRaw);

test("raw values come to their number, sum, least and largest", () => {
  fc.assert(
    fc.property(integers, (values) => {
      expect(rawOf(values)).toEqual({
        count: values.length,
        sum: sumOf(values),
        min: values.length === 0 ? null : Math.min(...values),
        max: values.length === 0 ? null : Math.max(...values),
      });
    }),
  );
});

test("two raw tallies together are the tally of all their values, whichever comes first", () => {
  fc.assert(
    fc.property(integers, integers, integers, (a, b, c) => {
      const [x, y, z] = [rawOf(a), rawOf(b), rawOf(c)];
      expect(mergeRaw(x, y)).toEqual(rawOf([...a, ...b]));
      expect(mergeRaw(x, y)).toEqual(mergeRaw(y, x));
      expect(mergeRaw(mergeRaw(x, y), z)).toEqual(mergeRaw(x, mergeRaw(y, z)));
      expect(mergeRaw(x, noRaw)).toEqual(x);
    }),
  );
});
