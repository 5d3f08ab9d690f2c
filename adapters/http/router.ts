import { Failure } from "../../domain/failure.ts";
import type { Endpoint } from "../../handlers/contract/endpoint.ts";
import type { StaticFile } from "./answers/files.ts";

/** An endpoint or a file: everything that a request can be routed to. */
export type Target = Endpoint | StaticFile;

export interface Route {
  readonly target: Target;
  readonly params: Readonly<Record<string, string>>;
}

/** A path split at its slashes into literal segments and named parameters. */
interface Pattern {
  readonly target: Target;
  readonly segments: readonly ({ readonly literal: string } | { readonly parameter: string })[];
  /** The last parameter, `{name+}`, takes all segments that are left. */
  readonly takesRest: boolean;
}

function compile(target: Target): Pattern {
  const segments = target.path.split("/").map((segment) => {
    const parameter = /^\{(\w+)\+?\}$/.exec(segment)?.[1];
    return parameter === undefined ? { literal: segment } : { parameter };
  });
  return { target, segments, takesRest: target.path.endsWith("+}") };
}

function match(
  { segments, takesRest }: Pattern,
  sent: readonly string[],
): Record<string, string> | undefined {
  const last = segments.length - 1;
  const path = takesRest && sent.length > last ? [...sent.slice(0, last), sent.slice(last).join("/")] : sent;
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
export const UNREADABLE = "This is not a valid HTTP request.";

/** The first segments of a path, at most `most`; undefined where one has a broken escape. */
function segmentsOf(path: string, most: number): readonly string[] | undefined {
  const segments = path.split("/", most);
  if (!path.includes("%")) return segments;
  try {
    return segments.map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

const withoutSlash = (path: string): string =>
  path.length > 2 && path.endsWith("/") ? path.slice(0, -1) : path;

/**
 * The routes without parameters, by path and method. Most requests are for one of these, which needs no matching. Keys that
 * join method and path would be made, and hashed, anew for each request.
 */
function literalRoutes(targets: readonly Target[]): ReadonlyMap<string, ReadonlyMap<string, Route>> {
  const routes = new Map<string, Map<string, Route>>();
  for (const target of targets.filter(({ path }) => !path.includes("{"))) {
    const byMethod = routes.get(target.path) ?? new Map<string, Route>();
    routes.set(target.path, byMethod.set(target.method, { target, params: {} }));
  }
  return routes;
}

/** Finds the endpoint or file of a method and path. HEAD is routed as GET, and a trailing slash is ignored. */
export function createRouter(targets: readonly Target[]) {
  const patterns = targets.map(compile);
  // One more than a pattern can have: enough to see that a path matches none.
  const mostSegments = 1 + Math.max(...patterns.map(({ segments }) => segments.length));
  const literal = literalRoutes(targets);

  function routeOf(method: string, path: string): Route | undefined {
    const known = literal.get(path)?.get(method);
    const segments = known === undefined ? segmentsOf(path, mostSegments) : undefined;
    if (segments === undefined) return known;
    for (const pattern of patterns) {
      if (pattern.target.method !== method) continue;
      const params = match(pattern, segments);
      if (params !== undefined) return { target: pattern.target, params };
    }
    return undefined;
  }

  const methods = [...new Set(targets.map(({ method }) => method))];

  /** The route of a request; undefined where there is none. */
  const find = (method: string, path: string): Route | undefined =>
    routeOf(method === "HEAD" ? "GET" : method, withoutSlash(path));

  /** The methods of a path; empty where the path is unknown. */
  const allowed = (path: string): string[] => methods.filter((method) => find(method, path) !== undefined);

  /** The refusal of a request that has no route. */
  function refusal(method: string, path: string): Failure {
    const asked = withoutSlash(path);
    if (segmentsOf(asked, mostSegments) === undefined) return new Failure("invalid", UNREADABLE);
    const allow = allowed(asked);
    if (allow.length > 0) {
      const detail = `${asked} does not take ${method}: use ${allow.join(" or ")}.`;
      return new Failure("method_not_allowed", detail, { allow });
    }
    return new Failure(
      "not_found",
      `There is nothing at ${asked}. GET /apiv1/openapi.json lists what there is.`,
    );
  }

  return { find, allowed, refusal };
}
export type Router = ReturnType<typeof createRouter>;

const firstSegment = (path: string): string => path.split("/", 2)[1] ?? "";

/**
 * Whether a path belongs to these targets, for a server that has other routes too. Every path below the first segment of
 * an endpoint, such as `/apiv1`, belongs to them even if it is unknown; of the files only their own paths do. Paths that
 * other programs use too, such as `/metrics`, do not.
 */
export function ownerOf(
  endpoints: readonly Endpoint[],
  files: readonly StaticFile[],
): (path: string) => boolean {
  const own = endpoints.filter(({ sharesItsPath }) => !sharesItsPath);
  const segments = new Set(own.map(({ path }) => firstSegment(path)));
  const paths = new Set(files.map(({ path }) => path));
  return (path) => segments.has(firstSegment(path)) || paths.has(withoutSlash(path));
}
