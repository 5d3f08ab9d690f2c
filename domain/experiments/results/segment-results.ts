import { z } from "zod";
import { MetricResult } from "./results.ts";

const SegmentVariant = z.strictObject({
  variant_id: z.int(),
  variant_name: z.string(),
  is_control: z.boolean(),
  users: z.int(),
  metrics: z.array(MetricResult.omit({ dropped: true })),
});

/** The results by the values of a property: to look at, and never to decide by. */
export const Segments = z
  .strictObject({
    property: z.string(),
    role: z.literal("exploratory"),
    users: z.int(),
    capped: z.boolean(),
    values_left_out: z.int(),
    values: z.array(
      z.strictObject({
        value: z.union([z.string(), z.number(), z.boolean()]),
        users: z.int(),
        variants: z.array(SegmentVariant),
      }),
    ),
  })
  .meta({ id: "Segments" });
export type Segments = z.infer<typeof Segments>;
