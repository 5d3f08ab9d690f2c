import type { ExactSum } from "../statistics/exact-sum.ts";
import type { Instant } from "../time.ts";
import type { Experiment } from "./experiment.ts";

// The input of the results. A cell is the users of one variant who were assigned in one weight period; a weight
// period begins with every change of the variants' weights. Storage keeps these sums and nothing of earlier looks, so
// that every figure, interval and verdict is a pure function of the data. Source: docs/statistics.md.

/**
 * Sums over the users of one cell, of one observation `y` per user and metric: 1 for a user with a value of a
 * `conversion`, the number of values for a `count`, the total of the values for a `mean` or `ratio` (capped where the
 * metric has a cap). A user without a value has y = 0 and adds nothing but to `users` of the cell.
 */
export interface MetricSums {
  readonly metric_name: string;
  /** Users with at least one counted value. */
  readonly users_with_value: number;
  /** Users whose observation is not 0. */
  readonly users_not_zero: number;
  /** Counted values. */
  readonly count: number;
  /** Σy */
  readonly y: ExactSum;
  /** Σy² */
  readonly yy: ExactSum;
  /** Of the covariate x, fixed at assignment, over all users of the cell (0 without one); null where the metric declares none. */
  readonly covariate: { readonly x: ExactSum; readonly xx: ExactSum; readonly xy: ExactSum } | null;
  /** Of the denominator d, the user's observation of the denominator metric; null unless the kind is `ratio`. */
  readonly denominator: { readonly d: ExactSum; readonly dd: ExactSum; readonly yd: ExactSum } | null;
}

/** One variant in one weight period. A cell without users may be missing, and so may a metric without values. */
export interface Cell {
  readonly variant_id: number;
  /** Index into `periods`. */
  readonly period: number;
  readonly users: number;
  readonly metrics: readonly MetricSums[];
}

/** Values that were stored but do not count, by reason. */
export interface DroppedValues {
  readonly before_assignment: number;
  readonly after_stop: number;
  readonly after_window: number;
  readonly wrong_type: number;
  readonly out_of_range: number;
}

/** Every value of a metric that arrived before the stop, counted or not, and what did not count. */
export interface RawValues {
  readonly variant_id: number;
  readonly metric_name: string;
  readonly count: number;
  readonly sum: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly dropped: DroppedValues;
}

export interface WeightPeriod {
  readonly started_at: Instant;
  readonly weights: readonly { readonly variant_id: number; readonly weight: number }[];
}

/** All that the results of an experiment are computed from, as of one moment. */
export interface ExperimentCells {
  /** In the order of time; the first one has every variant. */
  readonly periods: readonly WeightPeriod[];
  readonly cells: readonly Cell[];
  readonly raw: readonly RawValues[];
  /** When the last of `planned_users` was assigned; null before that, or where none are planned. */
  readonly planned_users_reached_at: Instant | null;
  /**
   * At most this many stored rows are not in the sums yet, while an upgrade, or a metric that was added later, is tallied
   * in the background: figures are right for what is in them and not complete. 0 otherwise.
   */
  readonly pending_rows: number;
  /** People whose ids were assigned different variants before they were linked: they are in none of the cells. */
  readonly crossed: number;
}

/** An experiment with its cells, as of one moment. */
export interface MeasuredExperiment extends ExperimentCells {
  readonly experiment: Experiment;
}

/** The change of a cell on one day (days since 1970, UTC). The sum over all days is the cell of the results. */
export interface DayCell extends Cell {
  readonly day: number;
}
