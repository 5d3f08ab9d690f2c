import { logGamma } from "./distributions.ts";

/** One weight period: the weights in force, and the users assigned meanwhile, arm by arm in one order. */
export interface SplitPeriod {
  readonly weights: readonly number[];
  readonly users: readonly number[];
}

export interface SplitCheck {
  /** ln of the evidence against the split that was asked for; 0 without users. */
  readonly log_bayes_factor: number;
  /** min(1, 1/BF): always valid, and current: a split that heals is sound again. */
  readonly p_value: number;
  readonly alarm: boolean;
}

// How closely the prior lies around the weights.
const CONCENTRATION = 1_000;
const ALARM = Math.log(100);

/**
 * Whether users were divided as the weights say, over all weight periods: a Dirichlet prior around the weights against
 * the weights themselves. May be looked at as often as one likes. Arms of weight 0 take no part.
 * Example: 5,000 against 5,100 users at equal weights give ln BF −0.753, and no alarm.
 * Source: Lindon and Malek (2022), arXiv 2011.03567.
 */
export function checkSplit(periods: readonly SplitPeriod[], concentration = CONCENTRATION): SplitCheck {
  const log_bayes_factor = periods.reduce((sum, period) => sum + logBayesFactor(period, concentration), 0);
  return {
    log_bayes_factor,
    p_value: Math.exp(Math.min(0, -log_bayes_factor)),
    alarm: log_bayes_factor >= ALARM,
  };
}

interface Arm {
  readonly share: number;
  readonly users: number;
}

/** The arms that should get users, with the share of the users that each should get. */
function armsOf({ weights, users }: SplitPeriod): readonly Arm[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.flatMap((weight, arm) =>
    weight > 0 ? [{ share: weight / total, users: users[arm] ?? 0 }] : [],
  );
}

const usersOf = (arms: readonly Arm[]): number => arms.reduce((sum, { users }) => sum + users, 0);

function logBayesFactor(period: SplitPeriod, concentration: number): number {
  const arms = armsOf(period);
  return arms.reduce(
    (sum, { share, users }) => sum + logRising(concentration * share, users) - users * Math.log(share),
    -logRising(concentration, usersOf(arms)),
  );
}

/** ln Γ(a+n) − ln Γ(a) */
const logRising = (a: number, n: number): number => (n === 0 ? 0 : logGamma(a + n) - logGamma(a));

/** Users that each arm should have got, by the weights in force when they were assigned. */
export function expectedUsers(periods: readonly SplitPeriod[]): number[] {
  const arms = Math.max(0, ...periods.map(({ weights }) => weights.length));
  const expected = periods.map((period) => {
    const total = period.weights.reduce((sum, weight) => sum + weight, 0);
    const users = usersOf(armsOf(period));
    return period.weights.map((weight) => (total > 0 ? (users * weight) / total : 0));
  });
  return Array.from({ length: arms }, (_, arm) => expected.reduce((sum, one) => sum + (one[arm] ?? 0), 0));
}

/** Users in arms whose weight was 0 when they were assigned. */
export function leakedUsers(periods: readonly SplitPeriod[]): number {
  return periods.reduce(
    (sum, period) => sum + period.users.reduce((all, users) => all + users, 0) - usersOf(armsOf(period)),
    0,
  );
}
