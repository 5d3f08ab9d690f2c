import type { Access } from "../../../handlers/contract/endpoint.ts";
import { isLoopback } from "../../addresses.ts";
import type { Settings } from "../../settings.ts";
import type { HttpRequest, HttpResponse } from "../message.ts";
import type { Router } from "../router.ts";

type Headers = Record<string, string>;

// Those of our own clients, and those that clients of other products send: mcp-*, x-retry-count, x-umami-cache.
const ALLOW_HEADERS =
  "authorization, content-encoding, content-type, if-none-match, mcp-method, mcp-name, mcp-protocol-version, prefer, " +
  "x-api-key, x-retry-count, x-umami-cache";
const EXPOSE_HEADERS = "etag, retry-after, x-next-cursor, x-request-id";
const PREFLIGHT_SECONDS = "7200";

const NONE: Headers = {};

/** A page of this server itself, by the host name that the browser used. */
const isSameOrigin = (origin: string, host: string | undefined): boolean =>
  host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);

function isLocalPage(origin: string): boolean {
  try {
    return isLoopback(new URL(origin).hostname);
  } catch {
    return false;
  }
}

/**
 * The origin of the page that sent a request; undefined where no page of another site did. Browsers leave the origin out
 * of images, scripts and links, but say that they come from another site.
 */
const originOf = ({ headers }: HttpRequest): string | undefined =>
  headers.origin ?? (headers["sec-fetch-site"] === "cross-site" ? "null" : undefined);

export interface Cors {
  /** Whether the page that sent a request, if one did, may use endpoints of this access. */
  allows(request: HttpRequest, access: Access): boolean;
  /** The headers that let the browser's page read an answer. */
  headers(request: HttpRequest, access: Access | undefined): Headers;
  /** Answers `OPTIONS`, from a browser or from any other client. */
  preflight(request: HttpRequest, router: Router): HttpResponse;
}

/** Pages of any origin may write. Other access is for the listed origins and, without keys, for pages of this machine. */
export function createCors({ corsOrigins, keys }: Settings): Cors {
  const listed = new Set(corsOrigins);

  function allowsOrigin(origin: string, { headers: { host } }: HttpRequest, access: Access): boolean {
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
    if (!allowsOrigin(origin, request, access)) return { vary: "origin" };
    return {
      "access-control-allow-origin": origin,
      "access-control-expose-headers": EXPOSE_HEADERS,
      vary: "origin",
    };
  }

  function allowance(request: HttpRequest, methods: readonly string[]): Headers {
    // Chrome asks so before a page of the internet may use a server of the local network.
    const isPrivate = request.headers["access-control-request-private-network"] === "true";
    return {
      "access-control-allow-methods": methods.join(", "),
      "access-control-allow-headers": ALLOW_HEADERS,
      "access-control-max-age": PREFLIGHT_SECONDS,
      ...(isPrivate ? { "access-control-allow-private-network": "true" } : {}),
    };
  }

  return {
    headers,

    allows(request, access) {
      const origin = originOf(request);
      return origin === undefined || allowsOrigin(origin, request, access);
    },

    preflight(request, router) {
      const methods = router.allowed(request.path);
      if (methods.length === 0) throw router.refusal(request.method, request.path);
      const wanted = request.headers["access-control-request-method"] ?? methods[0] ?? "";
      const cors = headers(request, router.find(wanted, request.path)?.target.access);
      const isAllowed = cors["access-control-allow-origin"] !== undefined;
      const allow = ["OPTIONS", ...methods].join(", ");
      return {
        status: 204,
        headers: { allow, ...cors, ...(isAllowed ? allowance(request, methods) : {}) },
        body: "",
      };
    },
  };
}
