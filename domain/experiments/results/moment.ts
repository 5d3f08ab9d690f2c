import type { Instant } from "../../time.ts";
import type { ExperimentCells } from "../cells.ts";
import type { Experiment } from "../experiment.ts";
import { endOf } from "../lifecycle.ts";
import { isCompleted } from "./level.ts";

/** How far an experiment has come: all that figures and verdict take from the clock. */
export interface Stage {
  /** The planned look may be taken. */
  readonly completed: boolean;
  /** Nothing that arrives now counts. */
  readonly isEnded: boolean;
}

export interface Moment extends Stage {
  /** The time that the results are of: now, or the end of the experiment. */
  readonly as_of: Instant;
}

export function momentOf(
  experiment: Experiment,
  cells: Pick<ExperimentCells, "planned_users_reached_at">,
  now: Instant,
): Moment {
  const end = endOf(experiment) ?? Number.POSITIVE_INFINITY;
  return {
    completed: isCompleted(experiment, cells, now),
    isEnded: end <= now,
    as_of: Math.min(now, end),
  };
}
