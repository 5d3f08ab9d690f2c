import { hash } from "node:crypto";
import type { HttpRequest, HttpResponse } from "../message.ts";

export interface JsonResponse extends HttpResponse {
  readonly body: string;
}

/** Answers 304 without a body where the client has the same answer already, by the ETag that it sends. */
export function revalidated(response: JsonResponse, { headers }: HttpRequest): HttpResponse {
  const etag = `"${hash("sha256", response.body, "base64url").slice(0, 22)}"`;
  const known = headers["if-none-match"]?.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  if (known?.includes(etag)) return { status: 304, headers: { etag }, body: "" };
  return { ...response, headers: { ...response.headers, etag } };
}
