import type { MeasuredExperiment } from "../../domain/experiments/cells.ts";
import type { Experiment } from "../../domain/experiments/experiment.ts";
import { Failure } from "../../domain/failure.ts";
import type { ExperimentStore, MetricStore } from "../../domain/storage.ts";

export const unknownExperiment = (id: number): Failure =>
  new Failure("not_found", `There is no A/B test ${id}. GET /apiv1/ab-tests lists those there are.`);

/** The experiment of a path, or the refusal that every endpoint below `/ab-tests/{test_id}` shares. */
export async function existingExperiment(storage: ExperimentStore, id: number): Promise<Experiment> {
  const experiment = await storage.findExperiment(id);
  if (experiment === undefined) throw unknownExperiment(id);
  return experiment;
}

/** The same with what its results are computed from. */
export async function measuredExperiment(storage: MetricStore, id: number): Promise<MeasuredExperiment> {
  const measured = await storage.experimentCells(id);
  if (measured === undefined) throw unknownExperiment(id);
  return measured;
}
