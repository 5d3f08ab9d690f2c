import { describe, expect, test } from "vitest";
import { type ArmCell, conversionCell, ratioCell, sumCell } from "../../../domain/statistics/arm-cell.ts";
import { choiceOf } from "../../../domain/statistics/choice.ts";
import {
  boundsOf,
  contrastOf,
  squaredStatistic,
  standardErrorOf,
} from "../../../domain/statistics/contrast.ts";
import { adjustForCovariate, type CovariateCell } from "../../../domain/statistics/covariate.ts";
import { addValue, noSum } from "../../../domain/statistics/exact-sum.ts";
import {
  criticalValueOf,
  informationOf,
  type Level,
  logEvidence,
  pValueOf,
} from "../../../domain/statistics/look.ts";
import { checkSplit } from "../../../domain/statistics/split.ts";
import { disagreements, goldenCases } from "./golden.ts";

interface Arm extends Record<string, number | string> {
  readonly users: number;
}

interface Case {
  readonly id: string;
  readonly why: string;
  readonly input: {
    readonly kind?: "cuped" | "ratio" | "split";
    readonly periods: readonly { readonly control: Arm; readonly variant: Arm }[];
    readonly alpha: number;
    readonly comparisons: number;
    readonly design?: "any" | "planned";
    readonly at_end?: boolean;
    readonly direction?: "increase" | "decrease";
  };
  readonly expected: Record<string, unknown>;
}

interface SplitCase {
  readonly id: string;
  readonly why: string;
  readonly input: { readonly periods: readonly { weights: number[]; users: number[] }[] };
  readonly expected: { log_bayes_factor: number; p_value: number; alarm: boolean };
}

const cases = goldenCases<Case>("experiments");
const exact = (value: number | string | undefined) => addValue(noSum, Number(value));

function cellOf({ users, converted, sum, sum_of_squares }: Arm): ArmCell {
  return converted === undefined
    ? sumCell(users, exact(sum), exact(sum_of_squares))
    : conversionCell(users, Number(converted));
}

function ratioOf({ users, mean_num, mean_den, snn, snd, sdd }: Arm): ArmCell {
  const cell = ratioCell({
    users,
    mean_y: Number(mean_num),
    mean_d: Number(mean_den),
    yy: Number(snn),
    yd: Number(snd),
    dd: Number(sdd),
  });
  if (cell === undefined) throw new Error("this ratio has no denominator");
  return cell;
}

const covariateCellOf = ({ users, mean_x, mean_y, sxx, sxy, syy }: Arm): CovariateCell => ({
  cell: { users, mean: Number(mean_y), spread: Number(syy) },
  mean_x: Number(mean_x),
  xx: Number(sxx),
  xy: Number(sxy),
});

function pairsOf({ kind, periods }: Case["input"]) {
  if (kind === "cuped") {
    return adjustForCovariate(
      periods.map(({ control, variant }) => ({
        control: covariateCellOf(control),
        variant: covariateCellOf(variant),
      })),
    );
  }
  const read = kind === "ratio" ? ratioOf : cellOf;
  return {
    pairs: periods.map(({ control, variant }) => ({ control: read(control), variant: read(variant) })),
  };
}

function levelOf({ alpha, comparisons, design, at_end }: Case["input"]): Level {
  const planned = at_end === true ? "planned" : "before_planned";
  return { alpha, comparisons, look: design === "planned" ? planned : "any" };
}

/** Sign of a relative change whose control is below 0. */
const lifted = (ratio: number, level: number): number => (level < 0 ? 1 - ratio : ratio - 1);

function figuresOf(input: Case["input"]) {
  const { pairs, ...rest } = pairsOf(input);
  const contrast = contrastOf(pairs);
  if (contrast === null) throw new Error("a golden case has a period");
  const { control_users, variant_users, control_level, ratio, difference, weight } = contrast;
  const level = levelOf(input);
  const size = { weight, smallest: Math.min(control_users, variant_users) };
  const r2 = squaredStatistic(contrast) ?? 0;
  const c = criticalValueOf(size, level);
  const lift = ratio === null ? null : boundsOf(ratio, c);
  const choice = choiceOf(contrast, input.direction ?? "increase");
  return {
    ...rest,
    users_compared: [control_users, variant_users],
    difference: difference.value,
    mean_control: control_level,
    mean_variant: contrast.variant_level,
    standard_error: standardErrorOf(difference),
    effective_users: 4 * weight,
    r: Math.sqrt(r2),
    s: informationOf(weight),
    log_e: logEvidence(r2, weight),
    p_value: pValueOf(r2, size, level),
    critical_value: c,
    interval: boundsOf(difference, c),
    lift: ratio === null ? null : lifted(ratio.value, control_level),
    lift_interval:
      lift === null ? null : lift.map((bound) => lifted(bound, control_level)).sort((a, b) => a - b),
    chance_better: choice.chance_better,
    expected_loss_of_variant: choice.expected_loss,
    expected_loss_of_control: choice.expected_loss_of_control,
  };
}

describe("a comparison reproduces every figure of", () => {
  test.each(cases.filter(({ input }) => input.kind !== "split"))("$id: $why", ({ input, expected }) => {
    const { lift_reason: _, judged: __, ...figures } = expected;
    expect(disagreements(figures, figuresOf(input))).toEqual([]);
  });
});

describe("the check of the split reproduces every figure of", () => {
  const splits = goldenCases<SplitCase & Case>("experiments").filter(({ input }) => input.kind === "split");
  test.each(splits)("$id: $why", ({ input, expected }) => {
    expect(disagreements(expected, checkSplit(input.periods))).toEqual([]);
  });
});
