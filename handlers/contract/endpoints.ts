import { assistants } from "../assistants/mcp.ts";
import { takeCloudEvents } from "../compatible/cloudevents/take-cloud-events.ts";
import { evaluateRemotely } from "../compatible/growthbook/evaluate-remotely.ts";
import { evaluateFlag } from "../compatible/ofrep/evaluate-flag.ts";
import { evaluateFlags } from "../compatible/ofrep/evaluate-flags.ts";
import { takePlausibleEvent } from "../compatible/plausible/take-plausible-event.ts";
import {
  posthogBatch,
  posthogCapture,
  posthogEvent,
  posthogIngest,
} from "../compatible/posthog/capture-events.ts";
import { posthogDecide, posthogFlags } from "../compatible/posthog/evaluate-flags.ts";
import { segmentSettings } from "../compatible/segment/segment-settings.ts";
import { takeSegmentCalls } from "../compatible/segment/take-segment-calls.ts";
import { umamiBatch, umamiSend } from "../compatible/umami/take-umami-events.ts";
import { trackEvent } from "../events/track-event.ts";
import { trackEvents } from "../events/track-events.ts";
import { assignEverywhere } from "../experiments/assignments/assign-everywhere.ts";
import { assignVariant } from "../experiments/assignments/assign-variant.ts";
import { explainAssignment } from "../experiments/assignments/explain-assignment.ts";
import { importAssignments } from "../experiments/assignments/import-assignments.ts";
import { checkExperiment } from "../experiments/check-experiment.ts";
import { createExperiment } from "../experiments/create-experiment.ts";
import { deleteExperiment } from "../experiments/delete-experiment.ts";
import { getExperiment } from "../experiments/get-experiment.ts";
import { getResults } from "../experiments/get-results.ts";
import { getTimeline } from "../experiments/get-timeline.ts";
import { listExperiments } from "../experiments/list-experiments.ts";
import { trackMetric } from "../experiments/metrics/track-metric.ts";
import { trackMetrics } from "../experiments/metrics/track-metrics.ts";
import { planSampleSize } from "../experiments/plan-sample-size.ts";
import { updateExperiment } from "../experiments/update-experiment.ts";
import { eraseUser } from "../people/erase-user.ts";
import { exportUser } from "../people/export-user.ts";
import { getUser } from "../people/get-user.ts";
import { linkUsers } from "../people/link-users.ts";
import { listErasures } from "../people/list-erasures.ts";
import { createAnnotation } from "../reports/annotations/create-annotation.ts";
import { deleteAnnotation } from "../reports/annotations/delete-annotation.ts";
import { listAnnotations } from "../reports/annotations/list-annotations.ts";
import { computeFunnel } from "../reports/compute-funnel.ts";
import { exportEvents } from "../reports/export-events.ts";
import { getOverview } from "../reports/get-overview.ts";
import { getRetention } from "../reports/get-retention.ts";
import { getTrend } from "../reports/get-trend.ts";
import { listEventTypes } from "../reports/list-event-types.ts";
import { listEvents } from "../reports/list-events.ts";
import { listPropertyValues } from "../reports/list-property-values.ts";
import { deleteQuestion } from "../reports/saved-questions/delete-question.ts";
import { listQuestions } from "../reports/saved-questions/list-questions.ts";
import { saveQuestion } from "../reports/saved-questions/save-question.ts";
import { updateQuestion } from "../reports/saved-questions/update-question.ts";
import { checkHealth } from "../service/check-health.ts";
import { listRefusals } from "../service/list-refusals.ts";
import { showMetrics } from "../service/metrics/show-metrics.ts";
import { createShare } from "../shares/create-share.ts";
import { deleteShare } from "../shares/delete-share.ts";
import { getSharedPage } from "../shares/get-shared-page.ts";
import { listShares } from "../shares/list-shares.ts";
import type { Endpoint } from "./endpoint.ts";

const withoutTools: readonly Endpoint[] = [
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
  checkExperiment,
  planSampleSize,
  listEvents,
  listEventTypes,
  listPropertyValues,
  getOverview,
  getTrend,
  computeFunnel,
  getRetention,
  exportEvents,
  createAnnotation,
  listAnnotations,
  deleteAnnotation,
  saveQuestion,
  listQuestions,
  updateQuestion,
  deleteQuestion,
  createShare,
  listShares,
  deleteShare,
  getSharedPage,
  linkUsers,
  getUser,
  exportUser,
  listRefusals,
  showMetrics,
  eraseUser,
  listErasures,
  checkHealth,
  evaluateFlag,
  evaluateFlags,
  takeSegmentCalls,
  segmentSettings,
  posthogBatch,
  posthogEvent,
  posthogIngest,
  posthogCapture,
  posthogFlags,
  posthogDecide,
  evaluateRemotely,
  takeCloudEvents,
  umamiSend,
  umamiBatch,
  takePlausibleEvent,
];

/** All endpoints. Tests compare the router, serverless.yml, the OpenAPI document and the README with this list. */
export const endpoints: readonly Endpoint[] = [...withoutTools, assistants(withoutTools)];
