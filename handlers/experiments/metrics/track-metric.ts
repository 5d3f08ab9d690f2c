import { z } from "zod";
import { MetricInput, newMetric, usualMetric } from "../../../domain/experiments/metric.ts";
import { Failure } from "../../../domain/failure.ts";
import { endpoint, TestPath, usualTestPath } from "../../contract/endpoint.ts";
import { StoredTimestamp, storedTimestamp } from "../../contract/stored-timestamp.ts";
import { existingExperiment } from "../existing-experiment.ts";
import { faultOf, StoredValue, storedBody } from "./stored-value.ts";

const Stored = StoredValue.extend({ timestamp: StoredTimestamp.optional() });

export const trackMetric = endpoint({
  name: "trackMetric",
  method: "POST",
  path: "/apiv1/ab-tests/{test_id}/track",
  access: "write",
  summary: "Store one metric value of an assigned user",
  params: TestPath,
  body: MetricInput,
  usual: { params: usualTestPath, body: usualMetric },
  replies: { created: Stored, ok: Stored.extend({ duplicate: z.literal(true) }) },
  failures: ["not_found", "conflict"],

  async handle({ params: { test_id }, body }, { storage, now }) {
    const experiment = await existingExperiment(storage, test_id);
    const metric = newMetric(body, now());
    const [appended] = await storage.appendMetrics(test_id, [metric]);
    if (appended.kind !== "stored") {
      const fault = faultOf(appended);
      const code = appended.kind === "not_assigned" ? "conflict" : "invalid";
      throw new Failure(code, `Nothing was stored: ${fault.message}.`, { faults: [fault] });
    }
    const answer = storedBody(experiment, appended);
    if (appended.duplicate) return { outcome: "ok", body: { ...answer, duplicate: true as const } };
    return { outcome: "created", body: { ...answer, ...storedTimestamp(metric) } };
  },
});
