import { Failure } from "../../domain/failure.ts";
import type { Endpoint } from "../../handlers/contract/endpoint.ts";
import { STATIC_FILES, type StaticFile } from "./files.ts";

/** What a request can be for. */
export type Target = Endpoint | StaticFile;

export interface Route {
  readonly target: Target;
  readonly params: Readonly<Record<string, string>>;
}

/** A path split at its slashes into literal segments and named parameters. */
interface Pattern {
  readonly target: Target;
  readonly segments: readonly ({ readonly literal: string } | { readonly parameter: string })[];
}

function compile(target: Target): Pattern {
  const segments = target.path.split("/").map((segment) => {
    const parameter = /^\{(\w+)\}$/.exec(segment)?.[1];
    return parameter === undefined ? { literal: segment } : { parameter };
  });
  return { target, segments };
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

/** The detail of every refusal of a request that cannot be parsed as HTTP. */
export const UNREADABLE = "This is no request that an HTTP server can read.";

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Failure("invalid", UNREADABLE);
  }
}

/** Finds the endpoint or file of a method and path. HEAD is routed as GET, and a trailing slash is ignored. */
export function createRouter(endpoints: readonly Endpoint[]) {
  const targets: readonly Target[] = [...endpoints, ...STATIC_FILES];
  const patterns = targets.map(compile);
  // Most requests are for a path without parameters, which needs no matching.
  const literal = new Map<string, Route>(
    targets
      .filter(({ path }) => !path.includes("{"))
      .map((target) => [`${target.method} ${target.path}`, { target, params: {} }]),
  );

  function find(method: string, path: string): Route | undefined {
    const known = literal.get(`${method} ${path}`);
    if (known !== undefined) return known;
    const segments = path.includes("%") ? path.split("/").map(decode) : path.split("/");
    for (const pattern of patterns) {
      if (pattern.target.method !== method) continue;
      const params = match(pattern, segments);
      if (params !== undefined) return { target: pattern.target, params };
    }
    return undefined;
  }

  const methods = [...new Set(targets.map(({ method }) => method))];
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

    /** The methods of a path; empty where the path is unknown. */
    allowed: (path: string): string[] =>
      methods.filter((method) => find(method, withoutSlash(path)) !== undefined),

    find: (method: string, path: string): Route | undefined => find(method, withoutSlash(path)),
  };
}
export type Router = ReturnType<typeof createRouter>;
