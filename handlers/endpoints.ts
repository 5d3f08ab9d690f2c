import { assignEverywhere } from "./assign-everywhere.ts";
import { assignVariant } from "./assign-variant.ts";
import { checkHealth } from "./check-health.ts";
import { computeFunnel } from "./compute-funnel.ts";
import { createExperiment } from "./create-experiment.ts";
import { deleteExperiment } from "./delete-experiment.ts";
import { describeApi } from "./describe-api.ts";
import type { Endpoint } from "./endpoint.ts";
import { explainAssignment } from "./explain-assignment.ts";
import { exportEvents } from "./export-events.ts";
import { getExperiment } from "./get-experiment.ts";
import { getClient, getDashboard, getDashboardScript, getDashboardStyle, getIcon } from "./get-file.ts";
import { getResults } from "./get-results.ts";
import { getRetention } from "./get-retention.ts";
import { getTimeline } from "./get-timeline.ts";
import { getTrend } from "./get-trend.ts";
import { importAssignments } from "./import-assignments.ts";
import { listEventTypes } from "./list-event-types.ts";
import { listEvents } from "./list-events.ts";
import { listExperiments } from "./list-experiments.ts";
import { planSampleSize } from "./plan-sample-size.ts";
import { trackEvent } from "./track-event.ts";
import { trackEvents } from "./track-events.ts";
import { trackMetric } from "./track-metric.ts";
import { trackMetrics } from "./track-metrics.ts";
import { updateExperiment } from "./update-experiment.ts";

/** Every endpoint there is. The router, serverless.yml, the OpenAPI document and the README are held to this list. */
export const endpoints: readonly Endpoint[] = [
  trackEvent,
  trackEvents,
  createExperiment,
  listExperiments,
  getExperiment,
  updateExperiment,
  deleteExperiment,
  assignVariant,
  explainAssignment,
  assignEverywhere,
  importAssignments,
  trackMetric,
  trackMetrics,
  getResults,
  getTimeline,
  planSampleSize,
  listEvents,
  listEventTypes,
  getTrend,
  computeFunnel,
  getRetention,
  exportEvents,
  checkHealth,
  describeApi(() => endpoints),
  getDashboard,
  getDashboardScript,
  getDashboardStyle,
  getIcon,
  getClient,
];
