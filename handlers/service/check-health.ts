import { z } from "zod";
import { type Instant, IsoTime, isoTime } from "../../domain/time.ts";
import { endpoint } from "../contract/endpoint.ts";

/** "live" asks only whether the process answers, so that one with a broken disk is not restarted for it. */
const HealthQuery = z.strictObject({ probe: z.enum(["ready", "live"]).default("ready") });

const Healthy = z.strictObject({
  status: z.literal("ok"),
  storage: z.literal("ok").optional(),
  version: z.string(),
  /** Only while the rollups are rebuilt after an upgrade; reports take longer meanwhile. */
  rebuild: z.strictObject({ done: z.int(), total: z.int() }).optional(),
  /**
   * Only where events are kept for a limited time: how many this process has removed, whether more are due, and when it has
   * last removed all that were.
   */
  expiry: z.strictObject({ removed: z.int(), pending: z.boolean(), last_run: IsoTime.nullable() }).optional(),
  /** Only while users are being erased, of whom nothing is shown any more. */
  erasures: z.strictObject({ waiting: z.int() }).optional(),
});
const Unhealthy = z.strictObject({
  status: z.literal("unavailable"),
  storage: z.enum(["unavailable", "read-only", "full", "moved"]),
  version: z.string(),
});
type Trouble = z.infer<typeof Unhealthy>["storage"];

const shownTime = (at: Instant | null): string | null => (at === null ? null : isoTime(at));

export const checkHealth = endpoint({
  name: "checkHealth",
  method: "GET",
  path: "/health",
  access: "open",
  unlimited: true,
  summary:
    "Whether the server is ready: its storage can be read and written; `?probe=live`: whether it answers at all",
  query: HealthQuery,
  replies: { ok: Healthy, unavailable: Unhealthy },

  async handle({ query }, { storage, version }) {
    if (query.probe === "live") return { outcome: "ok", body: { status: "ok", version } } as const;
    const unavailable = (trouble: Trouble, cause: unknown) =>
      ({
        outcome: "unavailable",
        body: { status: "unavailable", storage: trouble, version },
        cause,
      }) as const;
    try {
      const { state, cause, rebuild, expiry, erasuresWaiting } = await storage.check();
      if (state !== "ok") return unavailable(state, cause);
      const progress = {
        ...(rebuild && { rebuild: { ...rebuild } }),
        ...(expiry && { expiry: { ...expiry, last_run: shownTime(expiry.last_run) } }),
        ...(erasuresWaiting && { erasures: { waiting: erasuresWaiting } }),
      };
      return { outcome: "ok", body: { status: "ok", storage: "ok", version, ...progress } } as const;
    } catch (cause) {
      return unavailable("unavailable", cause);
    }
  },
});
