import { z } from "zod";
import { variantName } from "../../../domain/experiments/experiment.ts";
import { MetricInput, newMetric } from "../../../domain/experiments/metric.ts";
import { Failure } from "../../../domain/failure.ts";
import { endpoint, TestPath } from "../../contract/endpoint.ts";
import { StoredTimestamp, storedTimestamp } from "../../contract/stored-timestamp.ts";
import { existingExperiment } from "../existing-experiment.ts";

const Stored = z.strictObject({
  success: z.literal(true),
  id: z.int(),
  variant: z.string(),
  timestamp: StoredTimestamp.optional(),
});

export const NOT_ASSIGNED = "this user has no variant: POST …/assign first, then track";

export const trackMetric = endpoint({
  name: "trackMetric",
  method: "POST",
  path: "/apiv1/ab-tests/{test_id}/track",
  access: "write",
  summary: "Store one metric value of an assigned user",
  params: TestPath,
  body: MetricInput,
  replies: { created: Stored, ok: Stored.extend({ duplicate: z.literal(true) }) },
  failures: ["not_found", "conflict"],

  async handle({ params: { test_id }, body }, { storage, now }) {
    const experiment = await existingExperiment(storage, test_id);
    const metric = newMetric(body, now());
    const [appended] = await storage.appendMetrics(test_id, [metric]);
    if (appended.kind === "not_assigned") {
      throw new Failure("conflict", `Nothing was stored: ${NOT_ASSIGNED}.`, {
        faults: [{ path: "user_id", message: NOT_ASSIGNED }],
      });
    }
    const { id, variant_id, duplicate } = appended;
    const answer = { success: true, id, variant: variantName(experiment, variant_id) } as const;
    if (duplicate) return { outcome: "ok", body: { ...answer, duplicate } };
    return { outcome: "created", body: { ...answer, ...storedTimestamp(metric) } };
  },
});
