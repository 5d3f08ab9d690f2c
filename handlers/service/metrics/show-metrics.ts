import { endpoint } from "../../contract/endpoint.ts";
import { PlainText, plainTextOf } from "../../contract/plain-text.ts";
import { exposition } from "./exposition.ts";
import { activityFamilies, processFamilies, storageFamilies } from "./families.ts";

export const showMetrics = endpoint({
  name: "showMetrics",
  method: "GET",
  path: "/metrics",
  access: "read",
  summary: "Figures of this process and its storage, in Prometheus text format",
  sharesItsPath: true,
  replies: { ok: plainTextOf("prometheus") },

  async handle(_request, { storage, now, version, activity, processFigures }) {
    // A storage that cannot be read is a figure too, and the others are needed most then.
    const figures = await storage.figures().catch(() => undefined);
    const text = exposition([
      ...processFamilies(version, processFigures()),
      ...activityFamilies(activity),
      ...storageFamilies(figures, now()),
    ]);
    return { outcome: "ok", body: new PlainText("prometheus", text) };
  },
});
