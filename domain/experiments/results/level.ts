import type { Look } from "../../statistics/look.ts";
import { DAY, type Instant } from "../../time.ts";
import type { ExperimentCells } from "../cells.ts";
import type { Experiment } from "../experiment.ts";

/**
 * Whether the one planned look may be taken: the last planned user was assigned, and their window is over. A function of
 * the data alone, because a moment that a person chose would be one of many looks; so a stop by hand or by date does not count.
 */
export function isCompleted(
  { stopped_at, stop_at, window_days }: Pick<Experiment, "stopped_at" | "stop_at" | "window_days">,
  { planned_users_reached_at }: Pick<ExperimentCells, "planned_users_reached_at">,
  now: Instant,
): boolean {
  if (planned_users_reached_at === null) return false;
  return Math.min(now, stopped_at ?? now, stop_at ?? now) >= planned_users_reached_at + window_days * DAY;
}

/** How the results may be read now. */
export function lookOf({ planned_users }: Pick<Experiment, "planned_users">, completed: boolean): Look {
  if (planned_users === null) return "any";
  return completed ? "planned" : "before_planned";
}

/** The type I error α of a confidence level. In binary 1 − 0.95 is not 0.05. */
export const alphaOf = (confidenceLevel: number): number => Number((1 - confidenceLevel).toPrecision(12));
