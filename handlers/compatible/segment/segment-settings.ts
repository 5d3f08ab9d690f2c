import { z } from "zod";
import { endpoint } from "../../contract/endpoint.ts";

const Settings = z.strictObject({
  integrations: z.strictObject({
    "Segment.io": z.strictObject({
      apiKey: z.string(),
      apiHost: z.string(),
      protocol: z.string(),
    }),
  }),
});

export const segmentSettings = endpoint({
  name: "segmentSettings",
  method: "GET",
  path: "/v1/projects/{write_key}/settings",
  access: "write",
  summary: "Segment: what the page's client asks for first, so that it sends to this server",
  sharesItsPath: true,
  foreign: { keyOf: (_body, { write_key }) => write_key },
  params: z.strictObject({ write_key: z.string() }),
  query: z.looseObject({}),
  replies: { ok: Settings },

  async handle({ params: { write_key }, reachedAt }) {
    const { host, scheme: protocol } = reachedAt();
    return {
      outcome: "ok",
      body: { integrations: { "Segment.io": { apiKey: write_key, apiHost: `${host}/v1`, protocol } } },
    };
  },
});
