import { z } from "zod";
import { endpoint } from "../contract/endpoint.ts";

const State = z.enum(["ok", "unavailable"]);
type State = z.infer<typeof State>;
const Health = z.strictObject({ status: State, storage: State, version: z.string() });

export const checkHealth = endpoint({
  name: "checkHealth",
  method: "GET",
  path: "/health",
  access: "open",
  summary: "Whether the server and its storage answer",
  replies: { ok: Health, unavailable: Health },

  async handle(_request, { storage, version }) {
    const described = (state: State) => ({ status: state, storage: state, version });
    try {
      await storage.check();
      return { outcome: "ok", body: described("ok") };
    } catch (cause) {
      return { outcome: "unavailable", body: described("unavailable"), cause };
    }
  },
});
