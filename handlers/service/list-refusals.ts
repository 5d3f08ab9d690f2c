import { z } from "zod";
import { IsoTime, isoTime } from "../../domain/time.ts";
import { endpoint } from "../contract/endpoint.ts";

const Refusal = z.strictObject({
  endpoint: z.string(),
  what: z.enum(["request", "item"]),
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.strictObject({ path: z.string(), message: z.string() })),
  count: z.int(),
  first_at: IsoTime,
  last_at: IsoTime,
});

export const listRefusals = endpoint({
  name: "listRefusals",
  method: "GET",
  path: "/apiv1/refusals",
  access: "read",
  summary:
    "The last 100 kinds of refusals since this process started, the latest first: shows wrong mappings",
  replies: { ok: z.strictObject({ refusals: z.array(Refusal) }) },

  async handle(_request, { activity }) {
    const refusals = activity.refusals.latest().map(({ faults, first_at, last_at, ...refusal }) => ({
      ...refusal,
      errors: [...faults],
      first_at: isoTime(first_at),
      last_at: isoTime(last_at),
    }));
    return { outcome: "ok", body: { refusals } };
  },
});
