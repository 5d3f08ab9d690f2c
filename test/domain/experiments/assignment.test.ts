import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bucket,
  choose,
  ranges,
  trafficBucket,
  variantBucket,
} from "../../../domain/experiments/assignment.ts";
import statistics from "../../fixtures/statistics.json" with { type: "json" };

interface Case {
  readonly id: string;
  readonly input: unknown;
  readonly expected: unknown;
}

/** A case of the figures that were computed by another program; each names its source there. */
function caseOf<Input, Expected>(id: string) {
  const found = (statistics.cases as unknown as Case[]).find((one) => one.id === id);
  if (found === undefined) throw new Error(`no case ${id}`);
  return found as { input: Input; expected: Expected };
}

interface Vector {
  readonly salt: string;
  readonly user_id: string;
  readonly u: number;
}

const split = (weights: readonly number[], traffic = 1, salt = "test-1") => ({
  salt,
  traffic,
  variants: weights.map((weight, index) => ({ id: index + 1, weight })),
});

const user = fc.string({ unit: "binary", maxLength: 20 });
const salt = fc.string({ minLength: 1, maxLength: 20 });
const weights = fc
  .array(fc.oneof(fc.constant(0), fc.double({ min: 1e-9, max: 1e9, noNaN: true })), {
    minLength: 2,
    maxLength: 20,
  })
  .filter((all) => all.some((weight) => weight > 0));

test.each(caseOf<{ vectors: Vector[] }, unknown>("hash-proposed").input.vectors)(
  "the place of $user_id under $salt is pinned for ever",
  ({ salt: text, user_id, u }) => {
    expect(bucket(text, user_id)).toBe(u);
  },
);

test("traffic and variant are hashed with salts of their own", () => {
  expect(variantBucket("test-1", "user-1")).toBe(0.25514408885238127);
  expect(trafficBucket("test-1", "user-1")).toBe(0.4838168859428883);
});

test("every place lies on [0, 1), and is the same each time", () => {
  fc.assert(
    fc.property(salt, user, (text, id) => {
      const place = bucket(text, id);
      expect(place).toBeGreaterThanOrEqual(0);
      expect(place).toBeLessThan(1);
      expect(bucket(text, id)).toBe(place);
    }),
  );
});

interface Uniformity {
  readonly bins100_chi2: number;
  readonly below_half_exp1: number;
  readonly below_half_exp2: number;
  readonly two_by_two: number[][];
  readonly first_bins: number[];
}

const places = (text: string): number[] =>
  Array.from({ length: 10_000 }, (_, n) => bucket(text, `user-${String(n).padStart(6, "0")}`));

test("ten thousand users are spread evenly, and neighbouring experiments are independent: the counts are exact", () => {
  const { expected } = caseOf<unknown, Uniformity>("hash-proposed-uniformity");
  const [one, two] = [places("exp-1"), places("exp-2")];
  const bins = Array.from({ length: 100 }, (_, bin) => one.filter((u) => Math.floor(u * 100) === bin).length);
  expect(bins.slice(0, expected.first_bins.length)).toEqual(expected.first_bins);
  expect(bins.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0)).toBeCloseTo(
    expected.bins100_chi2,
    9,
  );
  const below = (all: readonly number[]) => all.filter((u) => u < 0.5).length;
  expect([below(one), below(two)]).toEqual([expected.below_half_exp1, expected.below_half_exp2]);
  const table = [true, false].map((first) =>
    [true, false].map(
      (second) => one.filter((u, n) => u < 0.5 === first && (two[n] ?? 1) < 0.5 === second).length,
    ),
  );
  expect(table).toEqual(expected.two_by_two);
});

interface WeightCases {
  readonly cases: { readonly weights: number[] }[];
}

test("weights of any size become the shares that are published for them", () => {
  const { input, expected } = caseOf<WeightCases, { cumulative: number[][] }>("weights-01");
  for (const [index, { weights: some }] of input.cases.entries()) {
    const edges = (expected.cumulative[index] ?? []).filter(
      (edge, n, all) => n === 0 || edge > (all[n - 1] ?? 0),
    );
    const found = ranges(split(some).variants);
    expect([0, ...found.map(({ to }) => to)]).toHaveLength(edges.length);
    for (const [n, edge] of [0, ...found.map(({ to }) => to)].entries())
      expect(edge).toBeCloseTo(edges[n] ?? -1, 12);
  }
});

test("ranges lie side by side from 0 to exactly 1, in proportion to the weights", () => {
  fc.assert(
    fc.property(weights, (some) => {
      const found = ranges(split(some).variants);
      const sum = some.reduce((total, weight) => total + weight, 0);
      expect(found[0]?.from).toBe(0);
      expect(found.at(-1)?.to).toBe(1);
      for (const [n, { variant_id, from, to }] of found.entries()) {
        expect(from).toBe(n === 0 ? 0 : found[n - 1]?.to);
        expect(to - from).toBeCloseTo((some[variant_id - 1] ?? 0) / sum, 9);
      }
      expect(found.map(({ variant_id }) => variant_id)).toEqual(
        some.flatMap((weight, index) => (weight > 0 ? [index + 1] : [])),
      );
    }),
  );
});

test("a user gets the variant into whose range the user's place falls, never one of weight 0", () => {
  fc.assert(
    fc.property(weights, salt, user, (some, text, id) => {
      const experiment = split(some, 1, text);
      const choice = choose(experiment, id);
      const place = bucket(`${text}:variant`, id);
      const range = ranges(experiment.variants).find(({ from, to }) => from <= place && place < to);
      expect(choice).toEqual({ kind: "variant", variant_id: range?.variant_id });
      expect(some[(range?.variant_id ?? 0) - 1]).toBeGreaterThan(0);
    }),
  );
});

test("a user at the very edge belongs to the variant above it", () => {
  const place = variantBucket("test-1", "user-1");
  expect(choose(split([place, 1 - place]), "user-1")).toEqual({ kind: "variant", variant_id: 2 });
  expect(choose(split([place + 1e-15, 1 - place]), "user-1")).toEqual({ kind: "variant", variant_id: 1 });
});

test("a user at the very edge of the traffic is outside", () => {
  const place = trafficBucket("test-1", "user-1");
  expect(choose(split([1, 1], place), "user-1")).toEqual({ kind: "not_in_traffic" });
  expect(choose(split([1, 1], place + 1e-15), "user-1")).toMatchObject({ kind: "variant" });
});

test("raising the traffic takes users in and moves none of those who are", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(weights, salt, user, share, share, (some, text, id, a, b) => {
      const before = choose(split(some, Math.min(a, b), text), id);
      const after = choose(split(some, Math.max(a, b), text), id);
      if (before.kind === "variant") expect(after).toEqual(before);
      else expect(before).toEqual({ kind: "not_in_traffic" });
    }),
  );
});

test("all of the traffic is everybody, none of it is nobody", () => {
  fc.assert(
    fc.property(user, (id) => {
      expect(choose(split([1, 1], 1), id).kind).toBe("variant");
      expect(choose(split([1, 1], 0), id).kind).toBe("not_in_traffic");
    }),
  );
});

test("without any weight there is nothing to choose", () => {
  expect(choose(split([0, 0]), "ann")).toEqual({ kind: "no_weight" });
  expect(choose(split([]), "ann")).toEqual({ kind: "no_weight" });
});

test("half the traffic is half of each variant", () => {
  const ids = Array.from({ length: 4_000 }, (_, n) => `user-${n}`);
  const taken = ids.filter((id) => choose(split([1, 1], 0.5), id).kind === "variant");
  const first = taken.filter((id) => variantBucket("test-1", id) < 0.5);
  // Four standard deviations of a fair coin on either side.
  expect(Math.abs(taken.length - 2_000)).toBeLessThan(4 * Math.sqrt(1_000));
  expect(Math.abs(first.length - taken.length / 2)).toBeLessThan(4 * Math.sqrt(taken.length / 4));
});
