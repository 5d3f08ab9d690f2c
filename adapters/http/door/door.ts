import { Failure } from "../../../domain/failure.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Endpoint } from "../../../handlers/contract/endpoint.ts";
import type { Settings } from "../../settings.ts";
import type { HttpRequest } from "../message.ts";
import type { Route, Target } from "../router.ts";
import { createGate } from "./access.ts";
import type { Cors } from "./cors.ts";
import { createLimiter } from "./rate.ts";

type Query = URLSearchParams | undefined;

export interface Door {
  /**
   * Refuses a request that may not enter, before its body is read: rate limit, key, and the page that sent it. `target` is
   * undefined for a path or method that is unknown. A request without a key passes where its format has it elsewhere.
   */
  admit(request: HttpRequest, query: Query, target: Target | undefined): void;
  /** Checks the key of a request that `admit` let pass without one. */
  admitLate(
    request: HttpRequest,
    query: Query,
    endpoint: Endpoint,
    body: unknown,
    params: Route["params"],
  ): void;
}

const hasKeyElsewhere = (target: Target): boolean =>
  "foreign" in target && target.foreign?.keyOf !== undefined;

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

  return {
    admit(request, query, target) {
      const caller = gate.callerOf(request, query);
      if (!target?.unlimited) limit(caller, request, now());
      gate.refuseRemote(request);
      if (target === undefined) return;
      if (caller.kind !== "anonymous" || !hasKeyElsewhere(target)) gate.admit(caller, target.access);
      refuseForeignPage(request, target);
    },

    admitLate(request, query, endpoint, body, params) {
      const keyOf = endpoint.foreign?.keyOf;
      if (keyOf === undefined || gate.callerOf(request, query).kind !== "anonymous") return;
      gate.admit(gate.callerWith(keyOf(body, params)), endpoint.access);
    },
  };
}
