import { z } from "zod";
import { type Experiment, variantName } from "../../../domain/experiments/experiment.ts";
import { MAX_TOTAL } from "../../../domain/experiments/metric.ts";
import type { Fault } from "../../../domain/failure.ts";
import type { AppendedMetric } from "../../../domain/storage.ts";

const Reason = z.enum([
  "before_assignment",
  "after_stop",
  "after_window",
  "wrong_type",
  "out_of_range",
  "tester",
]);

/** The answer to a stored value. Whether it counts is said when it is stored, not again for a duplicate. */
export const StoredValue = z.strictObject({
  success: z.literal(true),
  id: z.int(),
  variant: z.string(),
  counted: z.boolean().optional(),
  reason: Reason.optional().meta({ description: "Why a stored value does not count in the results." }),
});

type Stored = Extract<AppendedMetric, { kind: "stored" }>;

export function storedBody(experiment: Experiment, { id, variant_id, duplicate, reason }: Stored) {
  const body = { success: true as const, id, variant: variantName(experiment, variant_id) };
  if (duplicate) return body;
  return reason === null ? { ...body, counted: true } : { ...body, counted: false, reason };
}

const FAULTS: Record<Exclude<AppendedMetric["kind"], "stored">, Fault> = {
  not_assigned: { path: "user_id", message: "this user has no variant: POST …/assign first, then track" },
  total_out_of_range: {
    path: "value",
    message: `takes the user's total beyond ±${MAX_TOTAL}: send the metric in a larger unit`,
  },
};

/** The fault of a value that was not stored. */
export const faultOf = ({ kind }: Exclude<AppendedMetric, Stored>): Fault => FAULTS[kind];
