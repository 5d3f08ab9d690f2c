import type { Access } from "../../handlers/contract/endpoint.ts";
import { isLoopback } from "../addresses.ts";
import type { Settings } from "../settings.ts";
import type { HttpRequest, HttpResponse } from "./message.ts";
import type { Router } from "./router.ts";

type Headers = Record<string, string>;

const ALLOW_HEADERS = "authorization, content-encoding, content-type, prefer";
const EXPOSE_HEADERS = "retry-after, x-next-cursor, x-request-id";
const PREFLIGHT_SECONDS = "7200";

const NONE: Headers = {};

/** A page of this very server, by whichever name its browser knows it. */
const isSameOrigin = (origin: string, host: string | undefined): boolean =>
  host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);

function isLocalPage(origin: string): boolean {
  try {
    return isLoopback(new URL(origin).hostname);
  } catch {
    return false;
  }
}

export interface Cors {
  /** May the page that sent this use endpoints of this access? */
  allows(request: HttpRequest, origin: string, access: Access): boolean;
  /** What a browser must read on an answer to let its page read the answer. */
  headers(request: HttpRequest, access: Access | undefined): Headers;
  /** Answers `OPTIONS`, whether a browser asks it or a person. */
  preflight(request: HttpRequest, router: Router): HttpResponse;
}

/** Pages of any origin may write; the rest is for the listed origins and, on an open server, pages of this machine. */
export function createCors({ corsOrigins, keys }: Settings): Cors {
  const listed = new Set(corsOrigins);

  function allows({ headers: { host } }: HttpRequest, origin: string, access: Access): boolean {
    if (access === "write" || access === "open") return true;
    if (listed.has("*") || listed.has(origin) || isSameOrigin(origin, host)) return true;
    return keys === undefined && listed.size === 0 && isLocalPage(origin);
  }

  function headers(request: HttpRequest, access: Access | undefined): Headers {
    const { origin } = request.headers;
    if (origin === undefined || access === undefined) return NONE;
    if (access === "write" || access === "open") {
      return { "access-control-allow-origin": "*", "access-control-expose-headers": EXPOSE_HEADERS };
    }
    if (!allows(request, origin, access)) return { vary: "origin" };
    return {
      "access-control-allow-origin": origin,
      "access-control-expose-headers": EXPOSE_HEADERS,
      vary: "origin",
    };
  }

  function preflight(request: HttpRequest, router: Router): HttpResponse {
    const methods = router.allowed(request.path);
    if (methods.length === 0) router.route(request.method, request.path);
    const wanted = request.headers["access-control-request-method"] ?? methods[0] ?? "";
    const access = router.find(wanted === "HEAD" ? "GET" : wanted, request.path)?.target.access;
    const allow = ["OPTIONS", ...methods].join(", ");
    const cors = headers(request, access);
    if (cors["access-control-allow-origin"] === undefined)
      return { status: 204, headers: { allow, ...cors }, body: "" };
    return {
      status: 204,
      headers: {
        allow,
        ...cors,
        "access-control-allow-methods": methods.join(", "),
        "access-control-allow-headers": ALLOW_HEADERS,
        "access-control-max-age": PREFLIGHT_SECONDS,
      },
      body: "",
    };
  }

  return { allows, headers, preflight };
}
