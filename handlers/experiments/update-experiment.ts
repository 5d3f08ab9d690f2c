import { describe, ExperimentReply } from "../../domain/experiments/experiment.ts";
import {
  changeExperiment,
  ExperimentChange,
  type Forced,
  forcedVariants,
} from "../../domain/experiments/lifecycle.ts";
import { Failure } from "../../domain/failure.ts";
import type { AssignmentStore } from "../../domain/storage.ts";
import { endpoint, TestPath } from "../contract/endpoint.ts";
import { existingExperiment } from "./existing-experiment.ts";

export const updateExperiment = endpoint({
  name: "updateExperiment",
  method: "PATCH",
  path: "/apiv1/ab-tests/{test_id}",
  access: "admin",
  summary: "Change description, status, weights, traffic, winner or testers",
  params: TestPath,
  body: ExperimentChange,
  replies: { ok: ExperimentReply },
  failures: ["not_found", "conflict"],

  async handle({ params: { test_id }, body }, { storage, now }) {
    const stored = await existingExperiment(storage, test_id);
    await refuseAssigned(storage, test_id, forcedVariants(stored, body));
    const at = now();
    const changed = await storage.updateExperiment(test_id, (current) => ({
      experiment: changeExperiment(current, body, at),
      forced: forcedVariants(current, body),
      at,
    }));
    return { outcome: "ok", body: describe(changed ?? (await existingExperiment(storage, test_id))) };
  },
});

/** A user of the experiment cannot become a tester: they stay in it with the variant that they are counted under. */
async function refuseAssigned(
  storage: AssignmentStore,
  testId: number,
  forced: readonly Forced[],
): Promise<void> {
  const known = await Promise.all(forced.map(({ user_id }) => storage.findAssignment(testId, user_id)));
  const assigned = known.flatMap((found) => (found === undefined || found.forced ? [] : [found.user_id]));
  if (assigned.length === 0) return;
  const faults = assigned.map((user) => ({
    path: `forced.${user}`,
    message: "has been assigned and keeps that variant",
  }));
  throw new Failure("conflict", "Nothing was changed: some of the testers are users of this test already.", {
    faults,
  });
}
