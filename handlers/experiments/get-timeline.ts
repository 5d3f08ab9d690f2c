import { Timeline } from "../../domain/experiments/results/timeline.ts";
import { endpoint, TestPath } from "../contract/endpoint.ts";
import { measuredExperiment } from "./existing-experiment.ts";

export const getTimeline = endpoint({
  name: "getTimeline",
  method: "GET",
  path: "/apiv1/ab-tests/{test_id}/timeline",
  access: "read",
  summary: "Day by day: users, estimates and always-valid intervals",
  params: TestPath,
  replies: { ok: Timeline },
  failures: ["not_found"],

  async handle({ params }, { storage, prepared, now }) {
    const measured = await measuredExperiment(storage, params.test_id);
    const days = await storage.dayCells(params.test_id);
    return { outcome: "ok", ...prepared.timeline(measured, days, now()) };
  },
});
