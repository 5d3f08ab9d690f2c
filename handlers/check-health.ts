import { z } from "zod";
import { endpoint } from "./endpoint.ts";

const State = z.enum(["ok", "unavailable"]);
const Health = z.strictObject({ status: State, storage: State, version: z.string() });

export const checkHealth = endpoint({
  name: "checkHealth",
  method: "GET",
  path: "/health",
  access: "open",
  summary: "Whether the server and its storage answer",
  replies: { ok: Health, unavailable: Health },

  async handle(_request, { storage, version }) {
    const state = await storage.check().then(
      () => "ok" as const,
      () => "unavailable" as const,
    );
    return { outcome: state, body: { status: state, storage: state, version } };
  },
});
