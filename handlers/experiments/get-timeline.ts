import { Timeline, timelineOf } from "../../domain/experiments/results/timeline.ts";
import { endpoint, TestPath } from "../contract/endpoint.ts";
import { existingCells, existingExperiment } from "./existing-experiment.ts";

export const getTimeline = endpoint({
  name: "getTimeline",
  method: "GET",
  path: "/apiv1/ab-tests/{test_id}/timeline",
  access: "read",
  summary: "Day by day: users, estimates and always-valid intervals",
  params: TestPath,
  replies: { ok: Timeline },
  failures: ["not_found"],

  async handle({ params }, { storage, now }) {
    const experiment = await existingExperiment(storage, params.test_id);
    const cells = await existingCells(storage, experiment.id);
    const days = await storage.dayCells(experiment.id);
    return { outcome: "ok", body: timelineOf(experiment, days, cells, now()) };
  },
});
