import { Failure, type FailureCode } from "../../../domain/failure.ts";
import type { HttpResponse } from "../message.ts";
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

/** When each kind is answered, and what the caller does about it: for the documentation. */
export const REFUSAL_ADVICE: Record<FailureCode, string> = {
  invalid:
    "The request has faults, which `errors` lists with their places. Correct them; nothing was stored.",
  unauthorized:
    "No key, an unknown one, or a share link that does not work. Send a key as `Authorization: Bearer <key>`.",
  forbidden: "The key, the page's origin or the address has no access to this endpoint. Use a key that has.",
  not_found: "No such endpoint, experiment, user or file.",
  method_not_allowed: "The path takes other methods, which the header `Allow` lists.",
  timeout: "The request took too long to arrive. Send it again with the same `message_id`.",
  conflict: "The request contradicts what is stored, such as a name that is taken. `detail` says which.",
  too_large: "The body, or a part of it, is larger than the limit that `detail` names. Send less at once.",
  unsupported_media_type: "The body's type or encoding is not taken. `detail` lists those that are.",
  rate_limited: "Too many requests. Send it again after as many seconds as `Retry-After` says.",
  internal: "A fault of the server. Nothing was stored; its log has the request id that `detail` names.",
  unavailable:
    "The storage cannot be used now, or a report took too long. Send it again after `Retry-After`.",
};

const RETRY_SPREAD_SECONDS = 5;

/** Clients that were refused together must not come back together. A rate limit names the time for one client alone. */
const retryAfter = (seconds: number, code: FailureCode): number =>
  code === "unavailable" ? seconds + Math.floor(Math.random() * RETRY_SPREAD_SECONDS) : seconds;

function extraHeaders({ code, retryAfterSeconds, allow }: Failure): Record<string, string> {
  return {
    ...(retryAfterSeconds === undefined
      ? {}
      : { "retry-after": String(retryAfter(retryAfterSeconds, code)) }),
    ...(allow === undefined ? {} : { allow: allow.join(", ") }),
    ...(code === "unauthorized" ? { "www-authenticate": "Bearer" } : {}),
  };
}

/** The answer to a refused request: its body is never streamed. */
export interface Refusal extends HttpResponse {
  readonly body: string;
}

// A detail may repeat a path or a header of the request, which can be 16 KiB long.
const MAX_DETAIL_CHARACTERS = 1_000;

const cut = (detail: string): string =>
  detail.length > MAX_DETAIL_CHARACTERS ? `${detail.slice(0, MAX_DETAIL_CHARACTERS)}…` : detail;

/** A refusal as a problem document of RFC 9457. */
export function problem(failure: Failure): Refusal {
  const { code, faults, moreFaults } = failure;
  const status = FAILURE_STATUS[code];
  const body = {
    type: "about:blank",
    title: TITLES[code],
    status,
    detail: cut(failure.message),
    code,
    errors: faults,
    ...(moreFaults > 0 ? { more_errors: moreFaults } : {}),
  };
  return {
    status,
    headers: { "content-type": "application/problem+json", ...extraHeaders(failure) },
    body: JSON.stringify(body),
  };
}

/** An error of ours as its caller sees it: no cause, only the id under which the log has it. */
export const internal = (requestId: string): Failure =>
  new Failure("internal", `Something went wrong here. Tell the operator the request id ${requestId}.`);
