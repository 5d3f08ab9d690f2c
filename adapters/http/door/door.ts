import { Failure } from "../../../domain/failure.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Settings } from "../../settings.ts";
import type { HttpRequest } from "../message.ts";
import type { Target } from "../router.ts";
import { createGate } from "./access.ts";
import type { Cors } from "./cors.ts";
import { createLimiter } from "./rate.ts";

/** Refuses a request that may not enter. `target` is undefined for a path or method that is unknown. */
export type Door = (
  request: HttpRequest,
  query: URLSearchParams | undefined,
  target: Target | undefined,
) => void;

/** Everything that is checked before a request's body is read: rate limit, key, and the page that sent it. */
export function createDoor(settings: Settings, cors: Cors, now: () => Instant): Door {
  const gate = createGate(settings.keys);
  const limit = createLimiter(settings);

  /** Without keys, only the origin tells a page that may use this from one that may not. */
  function refuseForeignPage(request: HttpRequest, { access }: Target): void {
    if (settings.keys !== undefined || cors.allows(request, access)) return;
    const pages = request.headers.origin ?? "another site";
    const detail = `Pages of ${pages} may not use this: add their origin to ANALYTICS_CORS_ORIGINS.`;
    throw new Failure("forbidden", detail);
  }

  return (request, query, target) => {
    const caller = gate.callerOf(request, query);
    if (!target?.unlimited) limit(caller, request, now());
    gate.refuseRemote(request);
    if (target === undefined) return;
    gate.admit(caller, target.access);
    refuseForeignPage(request, target);
  };
}
