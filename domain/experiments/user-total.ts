import type { FactsQuestion } from "../reports/user-facts.ts";
import { addProduct, addValue, type ExactSum, noSum } from "../statistics/exact-sum.ts";
import { DAY, type Instant } from "../time.ts";
import type { MetricSums } from "./cells.ts";
import { MAX_VALUE } from "./metric.ts";
import type { EventCovariate, MetricDefinition } from "./metric-declaration.ts";

// From a user's values to the sums of a cell. Both storage engines keep one total per user and metric, and add to the
// sums what each value changes; this file states what that is.

/** The day of an instant: days since 1970, UTC. */
export const dayOf = (instant: Instant): number => Math.floor(instant / DAY);

/** Counted values of one user: how many, and their sum. */
export interface Values {
  readonly count: number;
  readonly total: ExactSum;
}

/** One user and one metric: its own values, those of its denominator, and the covariate fixed at assignment. */
export interface UserTotal {
  readonly own: Values;
  readonly denominator: Values;
  readonly covariate: number;
}

export const noValues: Values = { count: 0, total: noSum };
export const noTotal: UserTotal = { own: noValues, denominator: noValues, covariate: 0 };

/** How the values of a user become one number. */
export interface Measure {
  readonly kind: MetricDefinition["kind"];
  /** The observation is cut to ±cap. */
  readonly cap: number | null;
}

/** A metric as storage keeps sums of it. */
export interface MeasuredMetric extends Measure {
  readonly metric_name: string;
  /** Sums of a metric that was declared after it had values are kept apart from those made before. */
  readonly declared: boolean;
  readonly denominator: (Measure & { readonly metric_name: string }) | null;
  /** How long after the assignment values count; null for ever. */
  readonly window_ms: number | null;
}

/** The part of a value in a metric: one of the metric's own values, or one of its denominator. */
export interface Contribution {
  readonly metric: MeasuredMetric;
  readonly side: "own" | "denominator";
}

const undeclared = (metric_name: string): MeasuredMetric => ({
  metric_name,
  declared: false,
  kind: "mean",
  cap: null,
  denominator: null,
  window_ms: null,
});

function measuredOf(metric: MetricDefinition, all: readonly MetricDefinition[]): MeasuredMetric {
  const { window_days } = metric;
  const denominator = all.find((other) => other.metric_name === metric.denominator);
  return {
    ...measureOf(metric),
    declared: true,
    denominator: denominator === undefined ? null : measureOf(denominator),
    window_ms: window_days === undefined ? null : window_days * DAY,
  };
}

const measureOf = ({ metric_name, kind, cap }: MetricDefinition) => ({ metric_name, kind, cap: cap ?? null });

/** The metrics whose sums a value of the named metric changes, itself first. */
export function contributionsOf(metrics: readonly MetricDefinition[], metric_name: string): Contribution[] {
  const declared = metrics.find((metric) => metric.metric_name === metric_name);
  const itself = declared === undefined ? undeclared(metric_name) : measuredOf(declared, metrics);
  const ratios = metrics.filter(({ kind, denominator }) => kind === "ratio" && denominator === metric_name);
  return [
    { metric: itself, side: "own" },
    ...ratios.map((ratio) => ({ metric: measuredOf(ratio, metrics), side: "denominator" as const })),
  ];
}

/** Which of the stored rows a metric that was added later is to be tallied from. */
export type BacklogSource = "covariates" | "values" | "events";

/** The metrics that a change has added, and what they are to be tallied from. */
export function addedMetrics(
  before: readonly MetricDefinition[],
  after: readonly MetricDefinition[],
): { readonly metric_name: string; readonly sources: readonly BacklogSource[] }[] {
  const known = new Set(before.map(({ metric_name }) => metric_name));
  return after
    .filter(({ metric_name }) => !known.has(metric_name))
    .map((metric) => {
      const denominator = after.find(({ metric_name }) => metric_name === metric.denominator);
      const ofEvents = (metric.event_type ?? denominator?.event_type) !== undefined;
      // Covariates first: the users' values are then added to the sums with them, each on its day.
      const sources: BacklogSource[] = metric.covariate === undefined ? [] : ["covariates"];
      sources.push("values");
      if (ofEvents) sources.push("events");
      return { metric_name: metric.metric_name, sources };
    });
}

/** The one number that a user's values are, for example 1 for a conversion with two values. */
export function observationOf({ kind, cap }: Measure, { count, total }: Values): number {
  if (kind === "conversion") return count > 0 ? 1 : 0;
  const observed = kind === "count" ? count : total.high;
  return cap === null ? observed : Math.min(cap, Math.max(-cap, observed));
}

const withValue = ({ count, total }: Values, value: number): Values => ({
  count: count + 1,
  total: addValue(total, value),
});

/** The total with one more value. */
export const addToTotal = (total: UserTotal, side: Contribution["side"], value: number): UserTotal => ({
  ...total,
  [side]: withValue(total[side], value),
});

/** The sums of a cell, of which a metric uses as many as it needs: see MetricSums for what each is. */
export interface Sums extends Pick<MetricSums, "users_with_value" | "users_not_zero" | "count" | "y" | "yy"> {
  readonly x: ExactSum;
  readonly xx: ExactSum;
  readonly xy: ExactSum;
  readonly d: ExactSum;
  readonly dd: ExactSum;
  readonly yd: ExactSum;
}

export const noSums: Sums = {
  users_with_value: 0,
  users_not_zero: 0,
  count: 0,
  y: noSum,
  yy: noSum,
  x: noSum,
  xx: noSum,
  xy: noSum,
  d: noSum,
  dd: noSum,
  yd: noSum,
};

/** Σab with the product of one user moved from a₀b₀ to a₁b₁. */
const moveProduct = (sum: ExactSum, a0: number, b0: number, a1: number, b1: number): ExactSum =>
  a0 * b0 === a1 * b1 && a0 === a1 ? sum : addProduct(addProduct(sum, a1, b1), a0, -b0);

const moveValue = (sum: ExactSum, from: number, to: number): ExactSum =>
  from === to ? sum : addValue(addValue(sum, to), -from);

const one = (condition: boolean): number => (condition ? 1 : 0);

/** The sums of a cell after one of its users moved from one total to another; the covariate does not move. */
export function moveUser(sums: Sums, metric: MeasuredMetric, from: UserTotal, to: UserTotal): Sums {
  const y0 = observationOf(metric, from.own);
  const y1 = observationOf(metric, to.own);
  const { covariate: x } = to;
  const moved = {
    ...sums,
    users_with_value: sums.users_with_value + one(to.own.count > 0) - one(from.own.count > 0),
    users_not_zero: sums.users_not_zero + one(y1 !== 0) - one(y0 !== 0),
    count: sums.count + to.own.count - from.own.count,
    y: moveValue(sums.y, y0, y1),
    yy: moveProduct(sums.yy, y0, y0, y1, y1),
    xy: x === 0 ? sums.xy : moveProduct(sums.xy, x, y0, x, y1),
  };
  if (metric.denominator === null) return moved;
  const d0 = observationOf(metric.denominator, from.denominator);
  const d1 = observationOf(metric.denominator, to.denominator);
  return {
    ...moved,
    d: moveValue(sums.d, d0, d1),
    dd: moveProduct(sums.dd, d0, d0, d1, d1),
    yd: moveProduct(sums.yd, y0, d0, y1, d1),
  };
}

/** A metric's covariate of a user, where it is not 0. */
export interface CovariateValue {
  readonly metric_name: string;
  readonly x: number;
}

/** The places that a new user's covariates are taken from. */
export interface CovariateSources {
  /** Sent with the assignment. */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined;
  /** Computed from the user's events. */
  readonly covariates?: readonly CovariateValue[] | undefined;
}

/** The covariates of a new user. One that is not a number or is out of range counts as absent. */
export function covariatesIn(
  metrics: readonly MetricDefinition[],
  { attributes = {}, covariates = [] }: CovariateSources,
): CovariateValue[] {
  return metrics.flatMap(({ metric_name, covariate }) => {
    if (covariate === undefined) return [];
    const x =
      "attribute" in covariate
        ? attributeIn(attributes, covariate.attribute)
        : covariates.find((one) => one.metric_name === metric_name)?.x;
    return isCovariate(x) ? [{ metric_name, x }] : [];
  });
}

const attributeIn = (attributes: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(attributes, name) ? attributes[name] : undefined;

const isCovariate = (x: unknown): x is number => typeof x === "number" && x !== 0 && Math.abs(x) <= MAX_VALUE;

/** Asks for the covariate of a metric that is made of the users' events before their assignments. */
export const covariateQuestion = (
  { event_type, property, days }: EventCovariate,
  users: readonly { readonly user_id: string; readonly assigned_at: Instant }[],
): FactsQuestion => ({
  kind: "total",
  event_type,
  property: property ?? null,
  users: users.map(({ user_id, assigned_at }) => ({
    user_id,
    from: assigned_at - days * DAY,
    to: assigned_at,
  })),
});

/** The sums of a cell with one more user: with this covariate and no value yet. */
export const addCovariate = (sums: Sums, x: number): Sums => ({
  ...sums,
  x: addValue(sums.x, x),
  xx: addProduct(sums.xx, x, x),
});

/** The sums of a cell with one more user and this total of theirs. */
export const addUser = (sums: Sums, metric: MeasuredMetric, total: UserTotal): Sums =>
  moveUser(addCovariate(sums, total.covariate), metric, { ...noTotal, covariate: total.covariate }, total);

/** The sums of a cell without one of its users and this total of theirs. */
export function removeUser(sums: Sums, metric: MeasuredMetric, total: UserTotal): Sums {
  const { covariate: x } = total;
  const left = moveUser(sums, metric, total, { ...noTotal, covariate: x });
  return { ...left, x: addValue(left.x, -x), xx: addProduct(left.xx, x, -x) };
}

/** Σxy with a user of whom the sums have values, but had no covariate before. */
export const addCovariateOfValues = (sums: Sums, metric: Measure, x: number, own: Values): Sums => ({
  ...sums,
  xy: addProduct(sums.xy, x, observationOf(metric, own)),
});

/** The sums of a metric in the words of the port. */
export function metricSumsOf(
  metric: MetricDefinition | undefined,
  metric_name: string,
  sums: Sums,
): MetricSums {
  const { x, xx, xy, d, dd, yd, ...own } = sums;
  return {
    metric_name,
    ...own,
    covariate: metric?.covariate === undefined ? null : { x, xx, xy },
    denominator: metric?.kind === "ratio" ? { d, dd, yd } : null,
  };
}

/** Why a stored value does not count. */
export type NotCounted = "before_assignment" | "after_stop" | "after_window" | "wrong_type" | "out_of_range";

/** A value and when it happened. By its sender's clock it may have been as late as `latest_at`, where that is given. */
export interface Occurrence {
  readonly value: number;
  readonly occurred_at: Instant;
  readonly latest_at?: Instant | undefined;
}

/** Why a value does not count for a user who was assigned at this time; undefined where it does. */
export function notCounted(
  { value, occurred_at, latest_at = occurred_at }: Occurrence,
  assigned_at: Instant,
  { window_ms }: MeasuredMetric,
): NotCounted | undefined {
  // Written so that a value that is no number is out of range too.
  if (!(Math.abs(value) <= MAX_VALUE)) return "out_of_range";
  if (latest_at < assigned_at) return "before_assignment";
  if (window_ms !== null && occurred_at > assigned_at + window_ms) return "after_window";
  return undefined;
}
