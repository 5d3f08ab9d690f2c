import {
  type ArmCell,
  type CellPair,
  conversionCell,
  ratioCell,
  ratioMoments,
  sumCell,
} from "../../statistics/arm-cell.ts";
import { adjustForCovariate, type CovariateCell } from "../../statistics/covariate.ts";
import { centredProducts, centredSquares, noSum } from "../../statistics/exact-sum.ts";
import type { MetricSums } from "../cells.ts";
import { type Arm, type ArmPeriod, metricSumsOf, usersOf } from "./arms.ts";
import type { MeasuredMetric } from "./measured-metric.ts";

/**
 * One observation per assigned user, as the metric's kind defines it; a user without a value is a 0. Undefined without
 * users, and for a ratio without denominators.
 */
function cellOf({ kind }: MeasuredMetric, users: number, sums: MetricSums | undefined): ArmCell | undefined {
  if (users === 0) return undefined;
  if (kind === "conversion") return conversionCell(users, sums?.users_with_value ?? 0);
  if (kind !== "ratio") return sumCell(users, sums?.y ?? noSum, sums?.yy ?? noSum);
  if (sums?.denominator == null) return undefined;
  return ratioCell(ratioMoments(users, { ...sums, ...sums.denominator }));
}

/** Figures of one arm over all weight periods, as a row of a table shows them. */
export interface ArmFigures {
  readonly users: number;
  readonly users_with_value: number;
  readonly count: number;
  /** Σ of the users' observations. */
  readonly sum: number;
  readonly mean: number | null;
  readonly standard_deviation: number | null;
}

export function figuresOf(metric: MeasuredMetric, arm: Arm): ArmFigures {
  const users = usersOf(arm);
  const sums = metricSumsOf(arm, metric.metric_name);
  const cell = cellOf(metric, users, sums);
  return {
    users,
    users_with_value: sums?.users_with_value ?? 0,
    count: sums?.count ?? 0,
    sum: sums?.y.high ?? 0,
    mean: cell?.mean ?? null,
    standard_deviation: cell === undefined ? null : deviationOf(metric, cell),
  };
}

/** √(p(1−p)) of a conversion; else with n − 1, and null for a single user. */
function deviationOf({ kind }: MeasuredMetric, { users, mean, spread }: ArmCell): number | null {
  if (kind === "conversion") return Math.sqrt(mean * (1 - mean));
  return users < 2 ? null : Math.sqrt(spread / (users - 1));
}

/** How much data one side of a comparison has, over the weight periods that are compared. */
export interface Side {
  readonly users: number;
  /** Those of the other periods included. */
  readonly allUsers: number;
  /** Users with a value. */
  readonly converted: number;
  /** Users whose observation is not 0. */
  readonly notZero: number;
}

/** Input of a comparison: the weight periods in which both arms have users. */
export interface Sample {
  readonly pairs: readonly CellPair[];
  readonly control: Side;
  readonly variant: Side;
}

interface Half {
  readonly cell: ArmCell;
  readonly sums: MetricSums | undefined;
}

function halfOf(metric: MeasuredMetric, period: ArmPeriod | undefined): Half | undefined {
  const sums = period?.metrics.get(metric.metric_name);
  const cell = cellOf(metric, period?.users ?? 0, sums);
  return cell && { cell, sums };
}

export function sampleOf(metric: MeasuredMetric, control: Arm, variant: Arm): Sample {
  const halves = control.periods.flatMap((period, index) => {
    const [a, b] = [halfOf(metric, period), halfOf(metric, variant.periods[index])];
    return a === undefined || b === undefined ? [] : [{ control: a, variant: b }];
  });
  return {
    pairs: adjustedPairs(metric, halves),
    control: sideOf(
      control,
      halves.map((one) => one.control),
    ),
    variant: sideOf(
      variant,
      halves.map((one) => one.variant),
    ),
  };
}

function sideOf(arm: Arm, halves: readonly Half[]): Side {
  const total = (figure: (half: Half) => number): number =>
    halves.reduce((sum, half) => sum + figure(half), 0);
  return {
    users: total(({ cell }) => cell.users),
    allUsers: usersOf(arm),
    converted: total(({ sums }) => sums?.users_with_value ?? 0),
    notZero: total(({ sums }) => sums?.users_not_zero ?? 0),
  };
}

interface HalfPair {
  readonly control: Half;
  readonly variant: Half;
}

/** The cells without what the covariate explains, where the metric has one. */
function adjustedPairs({ kind }: MeasuredMetric, halves: readonly HalfPair[]): readonly CellPair[] {
  const plain = halves.map(({ control, variant }) => ({ control: control.cell, variant: variant.cell }));
  const sums = halves.flatMap(({ control, variant }) => [control.sums, variant.sums]);
  const hasCovariate = sums.some((one) => one?.covariate != null);
  if (kind === "ratio" || !hasCovariate) return plain;
  return adjustForCovariate(
    halves.map(({ control, variant }) => ({
      control: covariateCellOf(control),
      variant: covariateCellOf(variant),
    })),
  ).pairs;
}

// A cell whose users have neither a value nor a covariate has no sums: its covariate is 0 for everybody.
const NO_COVARIATE = { x: noSum, xx: noSum, xy: noSum };

function covariateCellOf({ cell, sums }: Half): CovariateCell {
  const { x, xx, xy } = sums?.covariate ?? NO_COVARIATE;
  return {
    cell,
    mean_x: x.high / cell.users,
    xx: centredSquares(cell.users, xx, x),
    xy: centredProducts(cell.users, xy, x, sums?.y ?? noSum),
  };
}
