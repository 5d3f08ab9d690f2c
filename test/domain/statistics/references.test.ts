import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ratioCell } from "../../../domain/statistics/arm-cell.ts";
import { probabilityToBeBest } from "../../../domain/statistics/best-arm.ts";
import { expectedShortfall } from "../../../domain/statistics/choice.ts";
import { adjustForCovariate } from "../../../domain/statistics/covariate.ts";
import {
  logGamma,
  normalLowerTail,
  normalQuantile,
  studentQuantile,
  studentUpperTail,
} from "../../../domain/statistics/distributions.ts";
import { checkSplit } from "../../../domain/statistics/split.ts";

// Figures that other systems publish, or that were computed with many digits. Each names its source in the fixture.

interface Case<Input, Expected> {
  readonly id: string;
  readonly method: string;
  readonly input: Input;
  readonly expected: Expected;
}

interface Point {
  readonly fn: string;
  readonly args: readonly number[];
  readonly value: number;
}

const { cases, special_functions } = JSON.parse(
  readFileSync(new URL("../../fixtures/statistics.json", import.meta.url), "utf8"),
) as { cases: Case<unknown, unknown>[]; special_functions: { points: Point[] } };

const casesOf = <Input, Expected>(method: string): Case<Input, Expected>[] =>
  cases.filter((one) => one.method === method) as Case<Input, Expected>[];

const relative = (actual: number, expected: number): number =>
  actual === expected ? 0 : Math.abs(actual / expected - 1);

const FUNCTIONS: Readonly<Record<string, (first: number, second: number) => number>> = {
  norm_cdf: normalLowerTail,
  norm_sf: (z) => normalLowerTail(-z),
  norm_ppf: normalQuantile,
  t_sf: studentUpperTail,
  t_ppf: studentQuantile,
  lgamma: logGamma,
};

test.each(special_functions.points)(
  "$fn($args) is right to 1e-10, a quantile to 1e-8",
  ({ fn, args, value }) => {
    const [first = Number.NaN, second = Number.NaN] = args;
    expect(relative(FUNCTIONS[fn]?.(first, second) ?? Number.NaN, value)).toBeLessThan(
      fn.endsWith("ppf") ? 1e-8 : 1e-10,
    );
  },
);

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const centred = (x: readonly number[], y: readonly number[]): number =>
  x.reduce((sum, value, index) => sum + (value - mean(x)) * ((y[index] ?? 0) - mean(y)), 0);

describe("the covariate's θ is that of", () => {
  test.each(casesOf<{ pre: number[]; post: number[] }, { theta: number }>("cuped_theta"))(
    "$id",
    ({ input: { pre, post }, expected }) => {
      const cell = { users: pre.length, mean: mean(post), spread: centred(post, post) };
      const half = { cell, mean_x: mean(pre), xx: centred(pre, pre), xy: centred(pre, post) };
      const { theta } = adjustForCovariate([{ control: half, variant: half }]);
      expect(relative(theta, expected.theta)).toBeLessThan(1e-9);
    },
  );
});

type RatioSums = Record<
  "n" | "num_sum" | "num_sum_squares" | "den_sum" | "den_sum_squares" | "cross",
  number
>;
interface RatioFigures {
  readonly ratio: number;
  readonly var?: number;
}

describe("a ratio and its variance are those of", () => {
  const arms = casesOf<Record<string, RatioSums>, Record<string, RatioFigures>>("ratio_delta").flatMap(
    ({ id, input, expected }) =>
      Object.entries(input).map(([arm, sums]) => ({ id, arm, sums, expected: expected[arm] })),
  );
  test.each(arms)("$id, $arm", ({ sums, expected }) => {
    const { n, num_sum, num_sum_squares, den_sum, den_sum_squares, cross } = sums;
    const cell = ratioCell({
      users: n,
      mean_y: num_sum / n,
      mean_d: den_sum / n,
      yy: num_sum_squares - num_sum ** 2 / n,
      yd: cross - (num_sum * den_sum) / n,
      dd: den_sum_squares - den_sum ** 2 / n,
    });
    if (den_sum === 0) {
      // Other systems answer a ratio of 0 here; a ratio over nothing takes no part.
      expect(cell).toBeUndefined();
      return;
    }
    expect(relative(cell?.mean ?? 0, expected?.ratio ?? 1)).toBeLessThan(1e-9);
    if (expected?.var !== undefined) {
      expect(relative((cell?.spread ?? 0) / (n - 1), expected.var)).toBeLessThan(1e-9);
    }
  });
});

describe("the split's p-value is that of", () => {
  interface Stream {
    readonly stream: number[][];
    readonly weights: number[];
  }
  test.each(casesOf<Stream, { p_value: number[] }>("srm_sequential"))("$id", ({ input, expected }) => {
    const users = input.weights.map(() => 0);
    const p = input.stream.map((batch) => {
      batch.forEach((count, arm) => {
        users[arm] = (users[arm] ?? 0) + count;
      });
      return checkSplit([{ weights: input.weights, users: [...users] }], 10_000).p_value;
    });
    p.forEach((value, look) => {
      expect(relative(value, expected.p_value[look] ?? 0)).toBeLessThan(1e-9);
    });
  });
});

describe("the expected loss is that of", () => {
  interface Loss {
    readonly risk_ship_treatment: number;
    readonly risk_keep_control: number;
  }
  test.each(casesOf<{ mu: number; sd: number }, Loss>("expected_loss"))("$id", ({ input, expected }) => {
    const { mu, sd } = input;
    expect(relative(expectedShortfall(mu, sd), expected.risk_ship_treatment)).toBeLessThan(1e-9);
    expect(relative(expectedShortfall(-mu, sd), expected.risk_keep_control)).toBeLessThan(1e-9);
  });
});

describe("the chance to be the best is that of", () => {
  interface Best {
    readonly probabilities: number[];
  }
  test.each(casesOf<{ means: number[]; sds: number[] }, Best>("best_arm_probability"))(
    "$id",
    ({ input, expected }) => {
      const beliefs = input.means.map((one, index) => ({ mean: one, deviation: input.sds[index] ?? 1 }));
      probabilityToBeBest(beliefs).forEach((chance, index) => {
        expect(Math.abs(chance - (expected.probabilities[index] ?? 0))).toBeLessThan(1e-7);
      });
    },
  );
});
