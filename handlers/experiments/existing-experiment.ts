import type { Experiment } from "../../domain/experiments/experiment.ts";
import { Failure } from "../../domain/failure.ts";
import type { ExperimentStore } from "../../domain/storage.ts";

export const unknownExperiment = (id: number): Failure =>
  new Failure("not_found", `There is no A/B test ${id}. GET /apiv1/ab-tests lists those there are.`);

/** The experiment of a path, or the refusal that every endpoint below `/ab-tests/{test_id}` shares. */
export async function existingExperiment(storage: ExperimentStore, id: number): Promise<Experiment> {
  const experiment = await storage.findExperiment(id);
  if (experiment === undefined) throw unknownExperiment(id);
  return experiment;
}
