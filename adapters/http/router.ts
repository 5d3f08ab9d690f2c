import { Failure } from "../../domain/failure.ts";
import type { Endpoint } from "../../handlers/contract/endpoint.ts";

export interface Route {
  readonly endpoint: Endpoint;
  readonly params: Readonly<Record<string, string>>;
}

/** A path cut at its slashes; where a parameter stands, its name. */
interface Pattern {
  readonly endpoint: Endpoint;
  readonly segments: readonly ({ readonly literal: string } | { readonly parameter: string })[];
}

function compile(endpoint: Endpoint): Pattern {
  const segments = endpoint.path.split("/").map((segment) => {
    const parameter = /^\{(\w+)\}$/.exec(segment)?.[1];
    return parameter === undefined ? { literal: segment } : { parameter };
  });
  return { endpoint, segments };
}

function match({ segments }: Pattern, path: readonly string[]): Record<string, string> | undefined {
  if (segments.length !== path.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const value = path[index] ?? "";
    if ("parameter" in segment) params[segment.parameter] = value;
    else if (segment.literal !== value) return undefined;
  }
  return params;
}

/** Said of what is not even wrong, whichever part of the server notices. */
export const UNREADABLE = "This is no request that an HTTP server can read.";

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Failure("invalid", UNREADABLE);
  }
}

/** Finds the endpoint of a method and path; HEAD is served as GET, a slash at the end is none. */
export function createRouter(endpoints: readonly Endpoint[]) {
  const patterns = endpoints.map(compile);
  // Most requests are for a path that stands in the list as it is.
  const literal = new Map<string, Route>(
    endpoints
      .filter(({ path }) => !path.includes("{"))
      .map((endpoint) => [`${endpoint.method} ${endpoint.path}`, { endpoint, params: {} }]),
  );

  function find(method: string, path: string): Route | undefined {
    const known = literal.get(`${method} ${path}`);
    if (known !== undefined) return known;
    const segments = path.includes("%") ? path.split("/").map(decode) : path.split("/");
    for (const pattern of patterns) {
      if (pattern.endpoint.method !== method) continue;
      const params = match(pattern, segments);
      if (params !== undefined) return { endpoint: pattern.endpoint, params };
    }
    return undefined;
  }

  const methods = [...new Set(endpoints.map(({ method }) => method))];
  const withoutSlash = (path: string): string =>
    path.length > 2 && path.endsWith("/") ? path.slice(0, -1) : path;

  return {
    route(method: string, path: string): Route {
      const asked = withoutSlash(path);
      const found = find(method === "HEAD" ? "GET" : method, asked);
      if (found !== undefined) return found;
      const allow = this.allowed(asked);
      if (allow.length === 0) {
        throw new Failure(
          "not_found",
          `There is nothing at ${asked}. GET /apiv1/openapi.json lists what there is.`,
        );
      }
      const detail = `${asked} does not take ${method}: use ${allow.join(" or ")}.`;
      throw new Failure("method_not_allowed", detail, { allow });
    },

    /** The methods a path takes; none where there is no such path. */
    allowed: (path: string): string[] =>
      methods.filter((method) => find(method, withoutSlash(path)) !== undefined),

    find: (method: string, path: string): Route | undefined => find(method, withoutSlash(path)),
  };
}
export type Router = ReturnType<typeof createRouter>;
