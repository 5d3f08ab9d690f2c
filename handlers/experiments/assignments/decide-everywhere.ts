import type { Experiment } from "../../../domain/experiments/experiment.ts";
import type { World } from "../../contract/endpoint.ts";
import { type Asker, type Decision, decide } from "./enrolment.ts";

// Bounds the cost of one page view.
const MAX_SHOWN = 1_000;

// A stopped experiment shows its winner until it is archived.
const SHOWN = ["running", "paused", "stopped"] as const;

export interface InExperiment {
  readonly experiment: Experiment;
  readonly decision: Decision;
}

/** What the user has or would get in every experiment that shows a variant. Stores nothing. */
export async function decideEverywhere(
  asker: Asker,
  { storage, now }: Pick<World, "storage" | "now">,
): Promise<InExperiment[]> {
  const shown = await storage.listExperiments({ limit: MAX_SHOWN, status: SHOWN });
  const known = await storage.findAssignments(
    shown.map(({ id }) => id),
    asker.user_id,
  );
  const time = now();
  return shown.map((experiment) => ({
    experiment,
    decision: decide(experiment, asker, known.get(experiment.id), time),
  }));
}
