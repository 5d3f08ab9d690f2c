import { z } from "zod";
import { endpoint } from "../contract/endpoint.ts";

const Healthy = z.strictObject({
  status: z.literal("ok"),
  storage: z.literal("ok"),
  version: z.string(),
  /** Only while the rollups are rebuilt after an upgrade; reports take longer meanwhile. */
  rebuild: z.strictObject({ done: z.int(), total: z.int() }).optional(),
});
const Unhealthy = z.strictObject({
  status: z.literal("unavailable"),
  storage: z.enum(["unavailable", "read-only", "full", "moved"]),
  version: z.string(),
});
type Trouble = z.infer<typeof Unhealthy>["storage"];

export const checkHealth = endpoint({
  name: "checkHealth",
  method: "GET",
  path: "/health",
  access: "open",
  unlimited: true,
  summary: "Whether the server answers and its storage can be read and written",
  replies: { ok: Healthy, unavailable: Unhealthy },

  async handle(_request, { storage, version }) {
    const unavailable = (trouble: Trouble, cause: unknown) =>
      ({
        outcome: "unavailable",
        body: { status: "unavailable", storage: trouble, version },
        cause,
      }) as const;
    try {
      const { state, cause, rebuild } = await storage.check();
      if (state !== "ok") return unavailable(state, cause);
      const progress = rebuild && { rebuild: { ...rebuild } };
      return { outcome: "ok", body: { status: "ok", storage: "ok", version, ...progress } } as const;
    } catch (cause) {
      return unavailable("unavailable", cause);
    }
  },
});
