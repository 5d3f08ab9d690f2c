import { type Arm, type Conversions, conversionArm, type Direction } from "./arm.ts";
import { chanceToWin, credibleInterval, expectedLoss } from "./bayes.ts";
import { studentCriticalValue } from "./distributions.ts";
import { comparisonRefusal, type Effect, type Interval } from "./effect.ts";
import { agrestiCaffoInterval, exactChanceToWin, fisherExactTest, needsExactTest } from "./exact.ts";
import { fiellerLift, type Lift } from "./fieller.ts";
import { isMissing, type Reason } from "./reason.ts";
import { defaultTuningUsers, sequentialCriticalValue, sequentialTest } from "./sequential.ts";
import { type WelchTest, welchTest } from "./welch.ts";

/** How to compare: type I error α = 1 − confidence level, N* of the sequence, and which way is better. */
export interface ComparisonDesign {
  readonly alpha: number;
  readonly tuningUsers?: number;
  readonly direction: Direction;
}

/** A p-value and an interval of the absolute difference, in the metric's unit; both null or neither. */
export interface TestFigures {
  readonly p_value: number | null;
  readonly interval: Interval | null;
}

/** Lift as a fraction of the control mean, its interval, and why one of them is missing. */
export type LiftFigures = Pick<Lift, "lift" | "interval" | "reason">;

/** The treatment against the control, with `null` and a reason in the place of every figure that the data refuse. */
export interface Comparison {
  readonly difference: number | null;
  readonly standard_error: number | null;
  readonly reason: Reason | null;
  /** Welch: valid for a single look. */
  readonly fixed: TestFigures;
  /** Valid at every look: decides the verdict. */
  readonly sequential: TestFigures;
  /** Fieller's interval at the critical value of the fixed test. */
  readonly relative: LiftFigures;
  /** The same at the critical value of the sequence. */
  readonly sequential_relative: LiftFigures;
  /** Flat prior; the loss is that of shipping the treatment, in the metric's unit. */
  readonly bayesian: {
    readonly chance_to_win: number | null;
    readonly expected_loss: number | null;
    readonly interval: Interval | null;
  };
  /** Only for conversions with a cell under 5. */
  readonly exact: ExactFigures | null;
}

/** Fisher's p, Agresti–Caffo's interval (which describes and can contradict p), exact Beta-Binomial chance to win. */
export interface ExactFigures {
  readonly p_value: number;
  readonly interval: Interval;
  readonly chance_to_win: number;
}

/**
 * All figures of a treatment against the control. TOO_FEW_USERS below two users in an arm leaves nothing but nulls;
 * ZERO_VARIANCE in both arms keeps the difference and the lift.
 */
export function compareArms(control: Arm, treatment: Arm, design: ComparisonDesign): Comparison {
  const refusal = comparisonRefusal(control, treatment);
  const test = welchTest(control, treatment, design.alpha);
  if (isMissing(test)) {
    const shown = refusal === null;
    const relative = liftFigures(control, treatment, 0);
    return {
      difference: shown ? treatment.mean - control.mean : null,
      standard_error: shown ? 0 : null,
      reason: test.reason,
      fixed: noTest,
      sequential: noTest,
      relative,
      sequential_relative: relative,
      bayesian: { chance_to_win: null, expected_loss: null, interval: null },
      exact: null,
    };
  }
  return { ...testFigures(control, treatment, test, design), exact: null };
}

/** The same for a conversion metric, with the exact figures beside it where a cell is under 5. */
export function compareConversions(
  control: Conversions,
  treatment: Conversions,
  design: ComparisonDesign,
): Comparison {
  const comparison = compareArms(conversionArm(control), conversionArm(treatment), design);
  if (comparison.difference === null || !needsExactTest(control, treatment)) return comparison;
  return { ...comparison, exact: exactFigures(control, treatment, design) };
}

const noTest: TestFigures = { p_value: null, interval: null };

function testFigures(
  control: Arm,
  treatment: Arm,
  test: WelchTest,
  { alpha, tuningUsers = defaultTuningUsers, direction }: ComparisonDesign,
): Omit<Comparison, "exact"> {
  const users = control.n + treatment.n;
  const sequence = sequentialTest(test, users, { alpha, tuningUsers });
  return {
    difference: test.estimate,
    standard_error: test.standard_error,
    reason: null,
    fixed: { p_value: test.p_value, interval: test.interval },
    sequential: { p_value: sequence.p_value, interval: sequence.interval },
    relative: liftFigures(control, treatment, studentCriticalValue(alpha, test.degrees_of_freedom)),
    sequential_relative: liftFigures(
      control,
      treatment,
      sequentialCriticalValue(users, { alpha, tuningUsers }),
    ),
    bayesian: bayesianFigures(test, alpha, direction),
  };
}

function liftFigures(control: Arm, treatment: Arm, criticalValue: number): LiftFigures {
  const { lift, interval, reason } = fiellerLift(control, treatment, criticalValue);
  return { lift, interval, reason };
}

function bayesianFigures(effect: Effect, alpha: number, direction: Direction): Comparison["bayesian"] {
  return {
    chance_to_win: chanceToWin(effect, direction),
    expected_loss: expectedLoss(effect, direction).ship_treatment,
    interval: credibleInterval(effect, alpha),
  };
}

function exactFigures(
  control: Conversions,
  treatment: Conversions,
  { alpha, direction }: ComparisonDesign,
): ExactFigures {
  const chance = exactChanceToWin(control, treatment);
  return {
    p_value: fisherExactTest(control, treatment),
    interval: agrestiCaffoInterval(control, treatment, alpha),
    chance_to_win: direction === "increase" ? chance : 1 - chance,
  };
}
