/**
 * Simulated experiments, to measure how often the statistics raise a false alarm when results are looked at again and
 * again. Seeded: the same repetitions give the same figures. The suite runs few repetitions, the bench many.
 */
import { armOf } from "../../../domain/statistics/arm.ts";
import { chanceToWin } from "../../../domain/statistics/bayes.ts";
import { absoluteEffect } from "../../../domain/statistics/effect.ts";
import { type Moments, mergeMoments, momentsOf, noMoments } from "../../../domain/statistics/moments.ts";
import { isMissing } from "../../../domain/statistics/reason.ts";
import { chiSquaredSplit, sequentialSplitPValue } from "../../../domain/statistics/sample-ratio.ts";
import { defaultTuningUsers, sequentialTest } from "../../../domain/statistics/sequential.ts";
import { studentPValue, welchDegreesOfFreedom } from "../../../domain/statistics/welch.ts";

/** Uniform numbers in [0, 1). */
export type Random = () => number;

/** A small generator with 32 bits of state (mixing steps of a Weyl sequence): enough for some 10⁸ draws. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Draws the successes among `trials` from one uniform number, by a table of the distribution. */
export function binomialSampler(trials: number, probability: number): (random: Random) => number {
  const cumulative: number[] = [];
  let term = (1 - probability) ** trials;
  let sum = 0;
  for (let k = 0; k <= trials; k++) {
    sum += term;
    cumulative.push(sum);
    term *= ((trials - k) / (k + 1)) * (probability / (1 - probability));
  }
  return (random) => {
    const u = random();
    let [low, high] = [0, trials];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulative[middle] ?? 1) > u) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** An A/A test looked at several times: both arms draw every batch from the same source. */
export interface PeekingSetup {
  readonly looks: number;
  readonly batch: (random: Random) => Moments;
}

/** Share of the repetitions in which each method found a difference that is not there. */
export interface PeekingRates {
  readonly fixed_p_at_end: number;
  readonly fixed_p_any_look: number;
  readonly chance_to_win_over_95_or_under_5_any_look: number;
  readonly sequential_any_look: number;
}

/** Conversions of `users` users an arm and look. */
export function conversionBatches(users: number, rate: number): PeekingSetup["batch"] {
  const draw = binomialSampler(users, rate);
  return (random) => {
    const mean = draw(random) / users;
    return { n: users, mean, m2: users * mean * (1 - mean) };
  };
}

/** Revenue of `users` users an arm and look: few buyers, each with a log-normal amount. */
export function revenueBatches(users: number, buyers: number, spread: number): PeekingSetup["batch"] {
  const amount = (random: Random) =>
    Math.exp(spread * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
  return (random) => momentsOf(Array.from({ length: users }, () => (random() < buyers ? amount(random) : 0)));
}

export function peekingRates(setup: PeekingSetup, repetitions: number, seed: number): PeekingRates {
  const random = seededRandom(seed);
  const counts = { end: 0, fixed: 0, chance: 0, sequential: 0 };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const alarms = peekOnce(setup, random);
    for (const name of ["end", "fixed", "chance", "sequential"] as const)
      counts[name] += alarms[name] ? 1 : 0;
  }
  return {
    fixed_p_at_end: counts.end / repetitions,
    fixed_p_any_look: counts.fixed / repetitions,
    chance_to_win_over_95_or_under_5_any_look: counts.chance / repetitions,
    sequential_any_look: counts.sequential / repetitions,
  };
}

function peekOnce({ looks, batch }: PeekingSetup, random: Random) {
  let [control, treatment] = [noMoments, noMoments];
  const alarms = { end: false, fixed: false, chance: false, sequential: false };
  for (let look = 0; look < looks; look++) {
    control = mergeMoments(control, batch(random));
    treatment = mergeMoments(treatment, batch(random));
    const [c, t] = [armOf(control), armOf(treatment)];
    const effect = absoluteEffect(c, t);
    if (isMissing(effect)) continue;
    const p = studentPValue(
      effect.estimate / effect.standard_error,
      welchDegreesOfFreedom(c, t),
      "two_sided",
    );
    const design = { alpha: 0.05, tuningUsers: defaultTuningUsers };
    const chance = chanceToWin(effect, "increase");
    alarms.end = p < 0.05;
    alarms.fixed ||= p < 0.05;
    alarms.chance ||= chance > 0.95 || chance < 0.05;
    alarms.sequential ||= sequentialTest(effect, c.n + t.n, design).p_value < 0.05;
  }
  return alarms;
}

/** Users arriving in batches and split in two, planned as halves; `share` is what the first arm really receives. */
export interface SplitSetup {
  readonly share: number;
  readonly usersPerLook: number;
  readonly looks: number;
}

/** Users until the first alarm in each repetition; infinite where none came. */
export interface SplitAlarms {
  readonly chi2_p001: readonly number[];
  readonly ssrm_p01: readonly number[];
  readonly ssrm_p001: readonly number[];
}

export function splitAlarms(setup: SplitSetup, repetitions: number, seed: number): SplitAlarms {
  const random = seededRandom(seed);
  const draw = binomialSampler(setup.usersPerLook, setup.share);
  const runs = Array.from({ length: repetitions }, () => splitOnce(setup, () => draw(random)));
  return {
    chi2_p001: runs.map((run) => run.chi2_p001),
    ssrm_p01: runs.map((run) => run.ssrm_p01),
    ssrm_p001: runs.map((run) => run.ssrm_p001),
  };
}

function splitOnce({ usersPerLook, looks }: SplitSetup, draw: () => number) {
  const first = {
    chi2_p001: Number.POSITIVE_INFINITY,
    ssrm_p01: Number.POSITIVE_INFINITY,
    ssrm_p001: Number.POSITIVE_INFINITY,
  };
  let inFirst = 0;
  for (
    let look = 1;
    look <= looks && Math.max(first.chi2_p001, first.ssrm_p001) > look * usersPerLook;
    look++
  ) {
    inFirst += draw();
    const users = [inFirst, look * usersPerLook - inFirst];
    const sequential = sequentialSplitPValue([{ weights: [1, 1], users }]);
    const split = chiSquaredSplit(users, [1, 1]);
    const now = look * usersPerLook;
    if (!isMissing(split) && split.p_value < 0.001) first.chi2_p001 = Math.min(first.chi2_p001, now);
    if (sequential < 0.01) first.ssrm_p01 = Math.min(first.ssrm_p01, now);
    if (sequential < 0.001) first.ssrm_p001 = Math.min(first.ssrm_p001, now);
  }
  return first;
}

export function shareOf(values: readonly number[], holds: (value: number) => boolean): number {
  return values.filter(holds).length / values.length;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The oracle's property checks as setups of this module, by their id there. */
export const peekingSetups: Readonly<Record<string, PeekingSetup>> = {
  "prop-peek-01": { looks: 14, batch: conversionBatches(500, 0.1) },
  "prop-peek-02": { looks: 28, batch: conversionBatches(500, 0.1) },
  "prop-peek-03": { looks: 100, batch: conversionBatches(50, 0.1) },
  "prop-peek-04": { looks: 200, batch: conversionBatches(50, 0.02) },
  "prop-peek-05": { looks: 60, batch: revenueBatches(50, 0.1, 1.5) },
};

export const splitSetups: Readonly<Record<string, SplitSetup>> = {
  "prop-srm-01": { share: 0.5, usersPerLook: 40, looks: 1_000 },
  "prop-srm-02": { share: 0.52, usersPerLook: 100, looks: 600 },
  "prop-srm-03": { share: 0.55, usersPerLook: 100, looks: 200 },
};
