import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Conversions } from "../../../domain/statistics/arm.ts";
import {
  agrestiCaffoInterval,
  binomialTest,
  exactChanceToWin,
  exactExpectedLoss,
  fisherExactTest,
  needsExactTest,
  newcombeInterval,
  wilsonInterval,
} from "../../../domain/statistics/exact.ts";

const conversions = (most: number) =>
  fc
    .integer({ min: 1, max: most })
    .chain((users) =>
      fc.record({ users: fc.constant(users), converted: fc.integer({ min: 0, max: users }) }),
    );
const small = conversions(40);

const factorial = (n: number): bigint => (n < 2 ? 1n : BigInt(n) * factorial(n - 1));
const choose = (n: number, k: number) => factorial(n) / (factorial(k) * factorial(n - k));

/** Fisher's p by whole numbers: every table with these margins that is no more likely than the observed one. */
function fisherByCounting(control: Conversions, treatment: Conversions): number {
  const converted = control.converted + treatment.converted;
  const ways = (k: number) =>
    k > treatment.users || converted - k > control.users || converted < k
      ? 0n
      : choose(treatment.users, k) * choose(control.users, converted - k);
  const observed = ways(treatment.converted);
  const all = Array.from({ length: converted + 1 }, (_, k) => ways(k));
  const sum = (list: bigint[]) => list.reduce((a, b) => a + b, 0n);
  return Number(sum(all.filter((way) => way <= observed))) / Number(sum(all));
}

describe("Fisher's exact test", () => {
  test("counts the same tables as whole-number arithmetic", () => {
    fc.assert(
      fc.property(small, small, (a, b) => {
        expect(fisherExactTest(a, b)).toBeCloseTo(fisherByCounting(a, b), 10);
      }),
      { numRuns: 300 },
    );
  });

  test("gives the same p-value when the arms, or conversions and the rest, change places", () => {
    const opposite = ({ users, converted }: Conversions) => ({ users, converted: users - converted });
    fc.assert(
      fc.property(conversions(500), conversions(500), (a, b) => {
        const p = fisherExactTest(a, b);
        expect(fisherExactTest(b, a)).toBeCloseTo(p, 9);
        expect(fisherExactTest(opposite(a), opposite(b))).toBeCloseTo(p, 9);
        expect(p).toBeGreaterThanOrEqual(0);
        expect(p).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("answers quickly for a small cell among a million users", () => {
    const start = performance.now();
    const p = fisherExactTest({ users: 1e6, converted: 3 }, { users: 1e6, converted: 500_000 });
    expect(p).toBe(0);
    expect(fisherExactTest({ users: 1e6, converted: 3 }, { users: 1e6, converted: 9 })).toBeCloseTo(0.146, 3);
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});

describe("the exact binomial test", () => {
  test("counts outcomes no more likely than the observed one", () => {
    expect(binomialTest(3, 20, 0.5)).toBeCloseTo(0.0025768280029296875, 14);
    expect(binomialTest(10, 20, 0.5)).toBe(1);
    expect(binomialTest(0, 5, 0)).toBe(1);
    expect(binomialTest(5, 5, 0.5)).toBeCloseTo(2 / 32, 14);
  });
});

describe("intervals of few users", () => {
  test("of one proportion stay within 0 and 1 and around it", () => {
    fc.assert(
      fc.property(conversions(1_000), (arm) => {
        const [lower, upper] = wilsonInterval(arm, 0.05);
        const share = arm.converted / arm.users;
        expect(lower).toBeGreaterThanOrEqual(0);
        expect(upper).toBeLessThanOrEqual(1);
        expect(lower).toBeLessThanOrEqual(share + 1e-12);
        expect(upper).toBeGreaterThanOrEqual(share - 1e-12);
      }),
    );
  });

  test.each([
    ["Newcombe", newcombeInterval],
    ["Agresti and Caffo", agrestiCaffoInterval],
  ])("of a difference are mirrored when the arms change places: %s", (_name, interval) => {
    fc.assert(
      fc.property(small, small, (a, b) => {
        const [there, back] = [interval(a, b, 0.05), interval(b, a, 0.05)];
        expect(back[0]).toBeCloseTo(-there[1], 12);
        expect(back[1]).toBeCloseTo(-there[0], 12);
      }),
    );
  });
});

describe("exact Bayesian figures", () => {
  /** ∫P(X < p)·density of Y(p) dp by a fine midpoint rule on the counts: slow, and independent of the sum. */
  function chanceByIntegration(control: Conversions, treatment: Conversions): number {
    const steps = 20_000;
    const weight = ({ users, converted }: Conversions, p: number) =>
      p ** converted * (1 - p) ** (users - converted);
    let [below, controlTotal, treatmentTotal, both] = [0, 0, 0, 0];
    for (let step = 0; step < steps; step++) {
      const p = (step + 0.5) / steps;
      const [c, t] = [weight(control, p), weight(treatment, p)];
      controlTotal += c;
      treatmentTotal += t;
      both += t * (below + c / 2);
      below += c;
    }
    return both / controlTotal / treatmentTotal;
  }

  test("agree with numerical integration, whichever of the four sums is the shortest", () => {
    fc.assert(
      fc.property(small, small, (a, b) => {
        expect(exactChanceToWin(a, b)).toBeCloseTo(chanceByIntegration(a, b), 5);
      }),
      { numRuns: 60 },
    );
  });

  test("add up to certainty when the arms change places", () => {
    fc.assert(
      fc.property(conversions(2_000), conversions(2_000), (a, b) => {
        expect(exactChanceToWin(a, b) + exactChanceToWin(b, a)).toBeCloseTo(1, 9);
      }),
    );
  });

  test("have losses whose difference is the difference of the posterior means", () => {
    fc.assert(
      fc.property(small, small, (a, b) => {
        const mean = ({ users, converted }: Conversions) => (converted + 1) / (users + 2);
        const difference = exactExpectedLoss(a, b) - exactExpectedLoss(b, a);
        expect(difference).toBeCloseTo(mean(a) - mean(b), 10);
        expect(exactExpectedLoss(a, b)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

test("the exact path is taken from any cell under 5", () => {
  expect(needsExactTest({ users: 100, converted: 4 }, { users: 100, converted: 50 })).toBe(true);
  expect(needsExactTest({ users: 100, converted: 50 }, { users: 100, converted: 96 })).toBe(true);
  expect(needsExactTest({ users: 100, converted: 5 }, { users: 100, converted: 95 })).toBe(false);
});
