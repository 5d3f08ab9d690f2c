import { Failure, type FailureCode } from "../../domain/failure.ts";
import type { HttpResponse } from "./message.ts";
import { FAILURE_STATUS } from "./statuses.ts";

const TITLES: Record<FailureCode, string> = {
  invalid: "The request has faults",
  unauthorized: "A key is needed",
  forbidden: "Not allowed",
  not_found: "Not found",
  method_not_allowed: "Method not allowed",
  timeout: "The request took too long to arrive",
  conflict: "In conflict with what is stored",
  too_large: "Too large",
  unsupported_media_type: "Media type not supported",
  rate_limited: "Too many requests",
  internal: "Internal error",
  unavailable: "Not available now",
};

function extraHeaders({ code, retryAfterSeconds, allow }: Failure): Record<string, string> {
  return {
    ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
    ...(allow === undefined ? {} : { allow: allow.join(", ") }),
    ...(code === "unauthorized" ? { "www-authenticate": "Bearer" } : {}),
  };
}

/** A refusal, whose body is always there as a whole. */
export interface Refusal extends HttpResponse {
  readonly body: string;
}

/** A refusal as RFC 9457 has it. */
export function problem(failure: Failure): Refusal {
  const { code, message, faults } = failure;
  const status = FAILURE_STATUS[code];
  const body = { type: "about:blank", title: TITLES[code], status, detail: message, code, errors: faults };
  return {
    status,
    headers: { "content-type": "application/problem+json", ...extraHeaders(failure) },
    body: JSON.stringify(body),
  };
}

/** What a caller learns of an error of ours: that there was one, and under which id we find it. */
export const internal = (requestId: string): Failure =>
  new Failure("internal", `Something went wrong here. Tell the operator the request id ${requestId}.`);
