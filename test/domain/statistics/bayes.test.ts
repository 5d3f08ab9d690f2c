import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  absolutePrior,
  chanceToWin,
  credibleInterval,
  expectedLoss,
  posterior,
} from "../../../domain/statistics/bayes.ts";
import { probabilityToBeBest } from "../../../domain/statistics/best-arm.ts";

const effects = fc.record({
  estimate: fc.double({ min: -20, max: 20, noNaN: true }),
  standard_error: fc.double({ min: 0.01, max: 10, noNaN: true }),
});
const negated = <T extends { estimate: number }>(effect: T) => ({ ...effect, estimate: -effect.estimate });

describe("a posterior", () => {
  test("is the effect itself under a flat prior, and nearly so under a vague one", () => {
    fc.assert(
      fc.property(effects, (effect) => {
        expect(posterior(effect, null)).toEqual(effect);
        const vague = posterior(effect, { mean: 0, variance: 1e12 });
        expect(vague.estimate).toBeCloseTo(effect.estimate, 6);
        expect(vague.standard_error).toBeCloseTo(effect.standard_error, 6);
      }),
    );
  });

  test("lies between prior and data, and is narrower than either", () => {
    fc.assert(
      fc.property(effects, effects, (effect, prior) => {
        const variance = prior.standard_error ** 2;
        const after = posterior(effect, { mean: prior.estimate, variance });
        const [low, high] = [
          Math.min(effect.estimate, prior.estimate),
          Math.max(effect.estimate, prior.estimate),
        ];
        expect(after.estimate).toBeGreaterThanOrEqual(low - 1e-9);
        expect(after.estimate).toBeLessThanOrEqual(high + 1e-9);
        expect(after.standard_error).toBeLessThanOrEqual(
          Math.min(effect.standard_error, prior.standard_error) * (1 + 1e-12),
        );
      }),
    );
  });

  test("under a certain prior is that prior", () => {
    const after = posterior({ estimate: 3, standard_error: 1 }, { mean: 1, variance: 0 });
    expect(after).toEqual({ estimate: 1, standard_error: 0 });
  });

  test("takes a prior on the lift to the unit of the difference", () => {
    expect(absolutePrior({ mean: 0.1, variance: 0.04 }, -5)).toEqual({ mean: 0.5, variance: 1 });
  });
});

describe("chance to win and expected loss", () => {
  test("change places when the effect turns, or when less is better", () => {
    fc.assert(
      fc.property(effects, (effect) => {
        const [loss, turned] = [expectedLoss(effect, "increase"), expectedLoss(negated(effect), "increase")];
        expect(turned).toEqual({ ship_treatment: loss.keep_control, keep_control: loss.ship_treatment });
        expect(expectedLoss(effect, "decrease")).toEqual(turned);
        expect(chanceToWin(effect, "decrease")).toBe(chanceToWin(negated(effect), "increase"));
        expect(chanceToWin(effect, "increase") + chanceToWin(effect, "decrease")).toBeCloseTo(1, 14);
      }),
    );
  });

  test("have losses that differ by the effect and are never negative", () => {
    fc.assert(
      fc.property(effects, (effect) => {
        const { ship_treatment, keep_control } = expectedLoss(effect, "increase");
        expect(keep_control - ship_treatment).toBeCloseTo(effect.estimate, 10);
        expect(Math.min(ship_treatment, keep_control)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("leave a credible interval of the stated probability", () => {
    const [lower, upper] = credibleInterval({ estimate: 2, standard_error: 0.5 }, 0.05);
    expect(lower).toBeCloseTo(2 - 0.5 * 1.9599639845400543, 14);
    expect(upper).toBeCloseTo(2 + 0.5 * 1.9599639845400543, 14);
  });
});

describe("the probability to be best", () => {
  const many = fc.array(effects, { minLength: 1, maxLength: 8 });

  test("of all arms adds up to 1", () => {
    fc.assert(
      fc.property(many, (arms) => {
        const sum = probabilityToBeBest(arms).reduce((a, b) => a + b, 0);
        expect(sum).toBeCloseTo(1, 9);
      }),
    );
  });

  test("of two arms is the chance to win of their difference", () => {
    fc.assert(
      fc.property(effects, effects, (a, b) => {
        const difference = {
          estimate: b.estimate - a.estimate,
          standard_error: Math.hypot(a.standard_error, b.standard_error),
        };
        expect(probabilityToBeBest([a, b])[1]).toBeCloseTo(chanceToWin(difference, "increase"), 9);
      }),
    );
  });

  test("does not depend on the order of the arms, their offset or their unit", () => {
    fc.assert(
      fc.property(many, (arms) => {
        const plain = probabilityToBeBest(arms);
        const other = probabilityToBeBest(
          [...arms].reverse().map(({ estimate, standard_error }) => ({
            estimate: 1e-6 * (estimate + 3),
            standard_error: 1e-6 * standard_error,
          })),
        ).reverse();
        plain.forEach((p, arm) => {
          expect(other[arm]).toBeCloseTo(p, 9);
        });
      }),
    );
  });

  test("sees an arm that is ten thousand times surer than another", () => {
    const [sure, unsure] = probabilityToBeBest([
      { estimate: 0.5, standard_error: 1e-4 },
      { estimate: 0, standard_error: 1 },
    ]);
    expect(sure).toBeCloseTo(0.6914624603938, 11);
    expect(unsure).toBeCloseTo(0.3085375396062, 11);
  });
});
