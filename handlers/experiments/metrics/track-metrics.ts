import { z } from "zod";
import { senderClock } from "../../../domain/clock.ts";
import type { Experiment } from "../../../domain/experiments/experiment.ts";
import { MetricInput, newMetric, usualMetric } from "../../../domain/experiments/metric.ts";
import type { AppendedMetric } from "../../../domain/storage.ts";
import { type Answer, batchOf, batchReply, takeIn, usualBatch } from "../../contract/batch.ts";
import { endpoint, TestPath } from "../../contract/endpoint.ts";
import { existingExperiment } from "../existing-experiment.ts";
import { faultOf, StoredValue, storedBody } from "./stored-value.ts";

const Stored = StoredValue.extend({ duplicate: z.literal(true).optional() });
const Reply = batchReply(Stored);

export const trackMetrics = endpoint({
  name: "trackMetrics",
  method: "POST",
  path: "/apiv1/ab-tests/{test_id}/track/batch",
  access: "write",
  summary: "Store many metric values; a bad one is refused alone",
  params: TestPath,
  body: batchOf("metrics", MetricInput),
  usual: { body: usualBatch },
  lines: true,
  replies: { created: Reply, partial: Reply },
  failures: ["not_found"],

  async handle({ params: { test_id }, body, minimal }, { storage, now, activity }) {
    const experiment = await existingExperiment(storage, test_id);
    const time = now();
    const clock = senderClock(body.sent_at, time);
    return takeIn(
      body,
      {
        item: MetricInput,
        usual: usualMetric,
        check: (input) => ({ value: newMetric(input, time, clock) }),
        store: (metrics) => storage.appendMetrics(test_id, metrics),
        answer: (appended) => answerOf(experiment, appended),
        refuse: (faults) => activity.noteRefusedItem("trackMetrics", faults, time),
      },
      minimal,
    );
  },
});

function answerOf(experiment: Experiment, appended: AppendedMetric): Answer<z.infer<typeof Stored>> {
  if (appended.kind !== "stored") return { faults: [faultOf(appended)] };
  const item = storedBody(experiment, appended);
  const { duplicate } = appended;
  return { duplicate, item: duplicate ? { ...item, duplicate } : item };
}
