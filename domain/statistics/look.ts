import { normalQuantile, studentQuantile, studentUpperTail } from "./distributions.ts";

/**
 * When the data are looked at. `any`: at any time, as often as one likes. `before_planned`: the same, while a planned
 * number of users is not complete, with a tenth of α. `planned`: the one look at the end, with nine tenths of α besides.
 */
export type Look = "any" | "before_planned" | "planned";

/** The type I error of a family of comparisons, and how many comparisons share it. */
export interface Level {
  readonly alpha: number;
  readonly comparisons: number;
  readonly look: Look;
}

/** The amount of data, on which the critical value depends besides the level. */
export interface Size {
  /** H of the contrast. */
  readonly weight: number;
  /** Users of the smaller arm. */
  readonly smallest: number;
}

// ρ² of the normal mixture: narrowest at about 1,000 users and α = 5 %. A constant: an experiment that tuned it could
// choose its level by it.
const TUNING = (-2 * Math.log(0.05) + Math.log(1 - 2 * Math.log(0.05))) / 1_000;
const AT_THE_END = 0.9;

/** How many comparisons share α in the always-valid part. */
const sharing = ({ comparisons, look }: Level): number =>
  look === "any" ? comparisons : comparisons / (1 - AT_THE_END);

/** s = ρ²·4H: how much the data can say. */
export const informationOf = (weight: number): number => TUNING * 4 * weight;

/** The share of the estimate that remains under the prior N(0, τ²) that belongs to the mixture: s/(1+s). */
export function shrinkageOf(weight: number): number {
  const information = informationOf(weight);
  return information / (1 + information);
}

/** ln E, the always-valid evidence against "no difference". Source: Robbins' normal mixture; arXiv 2103.06476. */
export function logEvidence(squaredStatistic: number, weight: number): number {
  return (-Math.log1p(informationOf(weight)) + shrinkageOf(weight) * squaredStatistic) / 2;
}

/** p-value of "no difference", shared among the comparisons: at most α exactly when the interval leaves out 0. */
export function pValueOf(squaredStatistic: number, size: Size, level: Level): number {
  const always = Math.exp(Math.min(0, Math.log(sharing(level)) - logEvidence(squaredStatistic, size.weight)));
  if (level.look !== "planned" || size.smallest < 2) return always;
  const tail = studentUpperTail(Math.sqrt(squaredStatistic), size.smallest - 1);
  return Math.min(always, (level.comparisons / AT_THE_END) * 2 * tail);
}

/** How many standard errors the interval reaches on each side. */
export function criticalValueOf(size: Size, level: Level): number {
  const always = anyTimeCriticalValue(size.weight, level.alpha / sharing(level));
  if (level.look !== "planned" || size.smallest < 2) return always;
  const tail = plannedShare(level) / 2;
  return Math.min(always, -studentQuantile(tail, size.smallest - 1));
}

/** c with c² = 2(1+s)/s·(½ln(1+s) − ln level), at an information of 4H = 4·`weight`. */
export function anyTimeCriticalValue(weight: number, level: number): number {
  const information = informationOf(weight);
  return Math.sqrt(2 * (1 + 1 / information) * (Math.log1p(information) / 2 - Math.log(level)));
}

/** The part of α that each comparison has at the planned look, both sides together. */
const plannedShare = ({ alpha, comparisons }: Pick<Level, "alpha" | "comparisons">): number =>
  (AT_THE_END * alpha) / comparisons;

/** Critical value of the planned look for many users, used to calculate sample sizes. */
export const plannedCriticalValue = (level: Pick<Level, "alpha" | "comparisons">): number =>
  -normalQuantile(plannedShare(level) / 2);
