import { chiSquaredUpperTail, logGamma } from "./distributions.ts";
import type { Missing, Reason } from "./reason.ts";

/** Users assigned while one set of weights was in force; both lists in the order of the arms. */
export interface AssignmentPeriod {
  readonly weights: readonly number[];
  readonly users: readonly number[];
}

/** Whether the arms received their planned share of users. */
export interface SampleRatio {
  /** False when either test raises its alarm: the split is broken, and so is every comparison. */
  readonly ok: boolean;
  readonly chi_square: number | null;
  readonly p_value: number | null;
  readonly sequential_p_value: number | null;
  /** Users expected in each arm by the weights in force when they were assigned. */
  readonly expected: readonly number[];
  /** Users found in an arm while its weight was 0. They stay out of the tests. */
  readonly leaked: number;
  readonly reason: Reason | null;
}

/** Alarm levels. The chi-squared level is strict because every look is another chance of a false alarm. */
export const chiSquaredAlarm = 0.001;
export const sequentialAlarm = 0.01;
const fewestUsers = 100;
const fewestExpected = 5;

/** Prior weight of the planned split: alarms soonest at leaks of 2–5 % among 100, 1,000 and 10,000. */
export const defaultConcentration = 1_000;

/** A chi-squared test against expected shares. */
export interface ChiSquaredSplit {
  readonly chi_square: number;
  readonly degrees_of_freedom: number;
  readonly p_value: number;
}

/**
 * Both tests of the split over all changes of weight. `earlierSequentialP` is the last reported sequential p-value: the
 * minimum is kept. NO_DATA without users or with a single arm; below 100 users or an expected count of 5 the figures
 * are shown with TOO_FEW_USERS, and the chi-squared test raises no alarm.
 */
export function sampleRatio(
  periods: readonly AssignmentPeriod[],
  earlierSequentialP: number | null = null,
): SampleRatio {
  const expected = expectedUsers(periods);
  const observed = plannedUsers(periods);
  const leaked = leakedUsers(periods);
  const split = chiSquaredSplit(observed, expected);
  if ("reason" in split) {
    return {
      ok: true,
      chi_square: null,
      p_value: null,
      sequential_p_value: null,
      expected,
      leaked,
      ...split,
    };
  }
  const sequential_p_value = Math.min(earlierSequentialP ?? 1, sequentialSplitPValue(periods));
  const reliable = total(observed) >= fewestUsers && expected.every((e) => e === 0 || e >= fewestExpected);
  const alarm = (reliable && split.p_value < chiSquaredAlarm) || sequential_p_value < sequentialAlarm;
  const { chi_square, p_value } = split;
  const reason = reliable ? null : "TOO_FEW_USERS";
  return { ok: !alarm, chi_square, p_value, sequential_p_value, expected, leaked, reason };
}

/**
 * χ² = Σ(O − E)²/E over the arms of positive weight, df = arms − 1; weights need not sum to 1.
 * NO_DATA without users, with fewer than two such arms, or when the lists differ in length.
 */
export function chiSquaredSplit(
  observed: readonly number[],
  weights: readonly number[],
): ChiSquaredSplit | Missing {
  const arms = weights.flatMap((weight, arm) => (weight > 0 ? [{ weight, users: observed[arm] ?? 0 }] : []));
  const users = total(arms.map((arm) => arm.users));
  if (observed.length !== weights.length || arms.length < 2 || users === 0) return { reason: "NO_DATA" };
  const weight = total(weights);
  const distances = arms.map((arm) => {
    const expected = (users * arm.weight) / weight;
    return (arm.users - expected) ** 2 / expected;
  });
  const chi_square = total(distances);
  const degrees_of_freedom = arms.length - 1;
  return { chi_square, degrees_of_freedom, p_value: chiSquaredUpperTail(chi_square, degrees_of_freedom) };
}

/** Users that each arm should have: the users of each period by that period's weights, summed. */
export function expectedUsers(periods: readonly AssignmentPeriod[]): number[] {
  return sumByArm(periods, (period, arm) => {
    const weight = total(period.weights);
    return weight > 0 ? (total(planned(period)) * (period.weights[arm] ?? 0)) / weight : 0;
  });
}

/** Users found in an arm while its weight was 0. */
export function leakedUsers(periods: readonly AssignmentPeriod[]): number {
  return total(periods.map((period) => total(period.users) - total(planned(period))));
}

/**
 * Always-valid p-value of the split, min(1, 1/BF), at this look: report its running minimum. Periods multiply their
 * Bayes factors, each being a fresh bet against its own weights. Lindon and Malek (2022), arXiv 2011.03567.
 */
export function sequentialSplitPValue(
  periods: readonly AssignmentPeriod[],
  concentration: number = defaultConcentration,
): number {
  const logBayesFactors = periods.map((period) => {
    const weight = total(period.weights);
    const shares = period.weights.map((share) => share / weight);
    const prior = shares.map((share) => share * concentration);
    return logDirichletMultinomial(planned(period), prior) - logMultinomial(planned(period), shares);
  });
  return Math.exp(Math.min(0, -total(logBayesFactors)));
}

/** ln of the marginal likelihood of the users under a Dirichlet prior, without the combinatorial term. */
export function logDirichletMultinomial(users: readonly number[], prior: readonly number[]): number {
  const perArm = users.map((count, arm) => {
    const alpha = prior[arm] ?? 0;
    return count === 0 ? 0 : logGamma(alpha + count) - logGamma(alpha);
  });
  return logGamma(total(prior)) - logGamma(total(prior) + total(users)) + total(perArm);
}

/** ln of the likelihood of the users under fixed shares, without the combinatorial term. */
export function logMultinomial(users: readonly number[], shares: readonly number[]): number {
  return total(users.map((count, arm) => (count === 0 ? 0 : count * Math.log(shares[arm] ?? 0))));
}

function plannedUsers(periods: readonly AssignmentPeriod[]): number[] {
  return sumByArm(periods, (period, arm) => planned(period)[arm] ?? 0);
}

function planned({ weights, users }: AssignmentPeriod): number[] {
  return users.map((count, arm) => ((weights[arm] ?? 0) > 0 ? count : 0));
}

function sumByArm(
  periods: readonly AssignmentPeriod[],
  figure: (period: AssignmentPeriod, arm: number) => number,
): number[] {
  const arms = Math.max(0, ...periods.map((period) => period.users.length));
  return Array.from({ length: arms }, (_, arm) => total(periods.map((period) => figure(period, arm))));
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
