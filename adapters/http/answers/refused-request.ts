import type { Failure } from "../../../domain/failure.ts";
import type { RefusedInput } from "../../../handlers/contract/activity/refusals.ts";

// The shortest key that the settings take has this length.
const KEY_LIKE = /[^\s/]{16,}/g;

/**
 * A refused request as the list of refusals shows it. A reader of the list may hold less than an admin key: an error of
 * JSON.parse quotes the body, and an unknown path may have a key in it, so both are left out.
 */
export function refusedRequest(endpoint: string, { code, message, faults }: Failure): RefusedInput {
  if (faults.length > 0) {
    const safe = faults.map(({ path, message }) => ({ path, message: withoutBody(message) }));
    return { endpoint, what: "request", code, detail: "The request has faults.", faults: safe };
  }
  const detail = endpoint === "none" ? message.replace(KEY_LIKE, "…") : message;
  return { endpoint, what: "request", code, detail, faults: [] };
}

const withoutBody = (message: string): string =>
  message.startsWith("The body is not JSON") ? "The body is not JSON." : message;
