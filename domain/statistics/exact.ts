import { type Arm, type Conversions, conversionArm } from "./arm.ts";
import { logBeta, logGamma, normalCriticalValue } from "./distributions.ts";
import { type Interval, intervalAround, standardError } from "./effect.ts";

/** Outcomes that are as likely as the observed one count as extreme, in spite of rounding in their logarithms. */
const tie = 1e-7;

/** From this count in each cell on the normal approximation serves. */
const smallCell = 5;

/** Whether any of the four cells, converted or not in either arm, is too small for the normal approximation. */
export function needsExactTest(control: Conversions, treatment: Conversions): boolean {
  return [control, treatment].some(
    ({ users, converted }) => converted < smallCell || users - converted < smallCell,
  );
}

/**
 * Two-sided p-value of Fisher's exact test: the probability of all tables with the same margins that are no more
 * likely than the observed one. 1 when nobody or everybody converted.
 */
export function fisherExactTest(control: Conversions, treatment: Conversions): number {
  const converted = control.converted + treatment.converted;
  const lowest = Math.max(0, converted - control.users);
  const highest = Math.min(treatment.users, converted);
  const logProbability = (inTreatment: number) =>
    logChoose(treatment.users, inTreatment) +
    logChoose(control.users, converted - inTreatment) -
    logChoose(control.users + treatment.users, converted);
  const mode = Math.floor(((treatment.users + 1) * (converted + 1)) / (control.users + treatment.users + 2));
  return sumOfUnlikely({ lowest, highest, mode, logProbability }, treatment.converted);
}

/** Two-sided exact binomial p-value of `successes` in `trials` at probability `probability`, by the same rule. */
export function binomialTest(successes: number, trials: number, probability: number): number {
  const logProbability = (k: number) =>
    logChoose(trials, k) + times(k, Math.log(probability)) + times(trials - k, Math.log1p(-probability));
  const mode = Math.min(trials, Math.floor((trials + 1) * probability));
  return sumOfUnlikely({ lowest: 0, highest: trials, mode, logProbability }, successes);
}

/** Wilson's score interval of one proportion. Wilson (1927), JASA 22. */
export function wilsonInterval({ users, converted }: Conversions, alpha: number): Interval {
  const z = normalCriticalValue(alpha);
  const share = converted / users;
  const centre = (share + (z * z) / (2 * users)) / (1 + (z * z) / users);
  const spread = Math.sqrt((share * (1 - share)) / users + (z * z) / (4 * users * users));
  const margin = (z * spread) / (1 + (z * z) / users);
  return [Math.max(0, centre - margin), Math.min(1, centre + margin)];
}

/** Newcombe's interval of a difference of proportions, from both Wilson intervals. Newcombe (1998), method 10. */
export function newcombeInterval(control: Conversions, treatment: Conversions, alpha: number): Interval {
  const [controlMean, treatmentMean] = [conversionArm(control).mean, conversionArm(treatment).mean];
  const [controlLower, controlUpper] = wilsonInterval(control, alpha);
  const [treatmentLower, treatmentUpper] = wilsonInterval(treatment, alpha);
  const difference = treatmentMean - controlMean;
  return [
    difference - Math.hypot(treatmentMean - treatmentLower, controlUpper - controlMean),
    difference + Math.hypot(treatmentUpper - treatmentMean, controlMean - controlLower),
  ];
}

/**
 * Agresti and Caffo's interval of a difference of proportions: Wald's after one conversion and one non-conversion more
 * in each arm. Agresti and Caffo (2000), The American Statistician 54(4). Describes; Fisher's p decides.
 */
export function agrestiCaffoInterval(control: Conversions, treatment: Conversions, alpha: number): Interval {
  const [c, t] = [smoothedArm(control), smoothedArm(treatment)];
  const effect = { estimate: t.mean - c.mean, standard_error: standardError(c, t) };
  return intervalAround(effect, normalCriticalValue(alpha), "two_sided");
}

function smoothedArm({ users, converted }: Conversions): Arm {
  return conversionArm({ users: users + 2, converted: converted + 1 });
}

/** Posterior mean of a conversion rate under the uniform prior Beta(1, 1). */
export function posteriorRate({ users, converted }: Conversions): number {
  return (converted + 1) / (users + 2);
}

/** Exact probability that the treatment converts better, both rates with prior Beta(1, 1). */
export function exactChanceToWin(control: Conversions, treatment: Conversions): number {
  return chanceThatFirstIsHigher(betaPosterior(treatment), betaPosterior(control));
}

/**
 * Exact E[max(pC − pT, 0)]: the conversion rate lost on average by shipping the treatment, where more is better.
 * E[p; …] of a Beta(a, b) rate is its mean times the probability of the same event under Beta(a + 1, b).
 */
export function exactExpectedLoss(control: Conversions, treatment: Conversions): number {
  const [c, t] = [betaPosterior(control), betaPosterior(treatment)];
  const gained = posteriorRate(control) * chanceThatFirstIsHigher({ ...c, a: c.a + 1 }, t);
  const given = posteriorRate(treatment) * (1 - chanceThatFirstIsHigher({ ...t, a: t.a + 1 }, c));
  return Math.max(0, gained - given);
}

/** Parameters of a beta distribution; both whole numbers here. */
interface Beta {
  readonly a: number;
  readonly b: number;
}

function betaPosterior({ users, converted }: Conversions): Beta {
  return { a: converted + 1, b: users - converted + 1 };
}

/**
 * P(X > Y) for beta X and Y: a finite sum with as many terms as one parameter counts. Of the four equal forms (X and Y
 * swapped, successes and failures swapped) the shortest is taken, which has at most five terms for a small cell.
 */
function chanceThatFirstIsHigher(x: Beta, y: Beta): number {
  const shortest = Math.min(x.a, x.b, y.a, y.b);
  if (shortest === x.a) return betaSum(x, y);
  if (shortest === y.b) return betaSum(mirrored(y), mirrored(x));
  return 1 - (shortest === y.a ? betaSum(y, x) : betaSum(mirrored(x), mirrored(y)));
}

function mirrored({ a, b }: Beta): Beta {
  return { a: b, b: a };
}

/** P(X > Y) = Σ B(y.a + i, x.b + y.b)/((x.b + i)·B(1 + i, x.b)·B(y.a, y.b)), i < x.a. Miller (2015), "Bayesian A/B testing". */
function betaSum(x: Beta, y: Beta): number {
  let sum = 0;
  for (let i = 0; i < x.a; i++) {
    sum += Math.exp(logBeta(y.a + i, x.b + y.b) - logBeta(1 + i, x.b) - logBeta(y.a, y.b)) / (x.b + i);
  }
  return sum;
}

/** A distribution over whole numbers that rises up to its mode and falls after it. */
interface Unimodal {
  readonly lowest: number;
  readonly highest: number;
  readonly mode: number;
  readonly logProbability: (k: number) => number;
}

/** Probability of all outcomes no more likely than the observed one; only their two tails are visited. */
function sumOfUnlikely(distribution: Unimodal, observed: number): number {
  const { lowest, highest, mode, logProbability } = distribution;
  const limit = logProbability(observed) + tie;
  if (logProbability(mode) <= limit) return 1;
  const unlikely = (k: number) => logProbability(k) <= limit;
  const left = lowest - 1 + countWhile(mode - lowest, (steps) => unlikely(lowest + steps));
  const right = highest + 1 - countWhile(highest - mode, (steps) => unlikely(highest - steps));
  return Math.min(1, tailSum(distribution, left, -1) + tailSum(distribution, right, 1));
}

/** How many of the first steps 0, 1, … satisfy a condition that holds up to some step and never after. */
function countWhile(steps: number, holds: (step: number) => boolean): number {
  let [low, high] = [0, steps];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Sum of the probabilities from `start` outwards, until the rest is lost in rounding. */
function tailSum({ lowest, highest, logProbability }: Unimodal, start: number, step: 1 | -1): number {
  let sum = 0;
  for (let k = start; k >= lowest && k <= highest; k += step) {
    const term = Math.exp(logProbability(k));
    sum += term;
    if (term < sum * 1e-18) break;
  }
  return sum;
}

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}

/** count·log, with 0·ln 0 = 0. */
function times(count: number, log: number): number {
  return count === 0 ? 0 : count * log;
}
