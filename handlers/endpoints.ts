import { assignVariant } from "./assign-variant.ts";
import { checkHealth } from "./check-health.ts";
import { createExperiment } from "./create-experiment.ts";
import { describeApi } from "./describe-api.ts";
import type { Endpoint } from "./endpoint.ts";
import { getExperiment } from "./get-experiment.ts";
import { getResults } from "./get-results.ts";
import { importAssignments } from "./import-assignments.ts";
import { listExperiments } from "./list-experiments.ts";
import { trackEvent } from "./track-event.ts";
import { trackEvents } from "./track-events.ts";
import { trackMetric } from "./track-metric.ts";
import { trackMetrics } from "./track-metrics.ts";

/** Every endpoint there is. The router, serverless.yml, the OpenAPI document and the README are held to this list. */
export const endpoints: readonly Endpoint[] = [
  trackEvent,
  trackEvents,
  createExperiment,
  listExperiments,
  getExperiment,
  assignVariant,
  importAssignments,
  trackMetric,
  trackMetrics,
  getResults,
  checkHealth,
  describeApi(() => endpoints),
];
