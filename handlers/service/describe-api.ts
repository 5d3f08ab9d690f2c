import { z } from "zod";
import { type Endpoint, endpoint } from "../contract/endpoint.ts";
import { type OpenApi, openApi } from "../contract/openapi.ts";

/** The endpoint that describes all endpoints, itself included: hence a function that lists them when asked. */
export function describeApi(all: () => readonly Endpoint[]) {
  let document: OpenApi | undefined;
  return endpoint({
    name: "describeApi",
    method: "GET",
    path: "/apiv1/openapi.json",
    access: "open",
    summary: "This API as an OpenAPI 3.1 document",
    replies: { ok: z.looseObject({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) }) },

    async handle(_request, { version }) {
      document ??= openApi(all(), version);
      return { outcome: "ok", body: document };
    },
  });
}
