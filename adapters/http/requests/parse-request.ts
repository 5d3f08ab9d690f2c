import { z } from "zod";
import type { UsualForm } from "../../../domain/usual.ts";
import type { Endpoint, Request } from "../../../handlers/contract/endpoint.ts";
import { FaultList, invalid, unanswerable } from "../../../handlers/contract/faults.ts";
import { wording } from "../../../handlers/contract/wording.ts";
import { secretOf } from "../door/access.ts";
import type { HttpRequest } from "../message.ts";
import type { Route } from "../router.ts";
import type { Visitors } from "./visitors.ts";

/** The faults of all parts of a request. The list is created for the first fault, because most requests have none. */
interface Faults {
  list: FaultList | undefined;
}

/** Parses one part of a request; its faults join those of the other parts. */
function parse(
  schema: z.ZodType | undefined,
  value: unknown,
  faults: Faults,
  usual?: UsualForm<unknown>,
  error: z.core.$ZodErrorMap = wording,
): never {
  const taken = usual?.(value);
  if (taken !== undefined) return taken as never;
  const parsed = schema?.safeParse(value, { error });
  if (parsed?.error) {
    faults.list ??= new FaultList();
    faults.list.addIssues(parsed.error);
  }
  return parsed?.data as never;
}

const refusalOf = ({ access }: Endpoint) =>
  access === "write" || access === "admin" ? invalid : unanswerable;

const NoQuery = z.strictObject({});

type QueryValue = string | string[] | { [name: string]: string | string[] };

/** One pass: to ask for each name anew takes 70 ms with the 4,000 names that fit into a request. */
function valuesByName(query: URLSearchParams): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const [name, value] of query) {
    const known = values.get(name);
    // The access key is not a parameter of any endpoint.
    if (name === "key") continue;
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  return values;
}

/** The values of a query by their names; those of `name[key]` as an object, which OpenAPI calls a deepObject. */
function queryObject(query: URLSearchParams): Record<string, QueryValue> {
  const object: Record<string, QueryValue> = Object.create(null);
  for (const [name, values] of valuesByName(query)) {
    const value = values.length === 1 ? (values[0] ?? "") : values;
    const [, outer = name, inner] = /^(\w+)\[(.+)\]$/.exec(name) ?? [];
    const within = inner === undefined ? undefined : (object[outer] ?? Object.create(null));
    if (inner === undefined || typeof within !== "object" || Array.isArray(within)) object[name] = value;
    else object[outer] = Object.assign(within, { [inner]: value });
  }
  return object;
}

/** A parameter that is not a list and is given twice is refused for that, not for its type. */
const once: z.core.$ZodErrorMap = (issue) =>
  Array.isArray(issue.input) && (issue.code === "invalid_type" || issue.code === "invalid_value")
    ? "must be given once"
    : wording(issue);

function parseQuery({ query: schema }: Endpoint, query: URLSearchParams | undefined, faults: Faults): never {
  if (schema === undefined && query === undefined) return undefined as never;
  return parse(schema ?? NoQuery, query === undefined ? {} : queryObject(query), faults, undefined, once);
}

/** Whether a Prefer header asks for a short answer (RFC 7240). */
const prefersMinimal = (prefer: string | undefined): boolean =>
  prefer !== undefined && /(?:^|[,;\s])return=minimal(?:$|[,;\s])/i.test(prefer);

/** Parses path, query and body by the endpoint's own schemas. All their faults are in one refusal. */
export function parseRequest(
  request: HttpRequest,
  endpoint: Endpoint,
  sentParams: Route["params"],
  sentQuery: URLSearchParams | undefined,
  decoded: unknown,
  visitors: Visitors,
): Request<never, never, never> {
  const faults: Faults = { list: undefined };
  const params = parse(endpoint.params, sentParams, faults, endpoint.usual?.params);
  const query = parseQuery(endpoint, sentQuery, faults);
  const body = parse(endpoint.body, decoded, faults, endpoint.usual?.body);
  if (faults.list !== undefined) throw refusalOf(endpoint)("request", faults.list.listed, faults.list.more);
  return {
    params,
    query,
    body,
    minimal: prefersMinimal(request.headers.prefer),
    gone: request.gone,
    browser: () => visitors.browserOf(request),
    visitor: () => visitors.idOf(request),
    secret: endpoint.access === "share" ? secretOf(request) : undefined,
    reachedAt: () => reachedAt(request),
  };
}

/** A proxy that ends TLS says so in a header; who forges it is told a wrong address of their own making. */
const reachedAt = ({ headers }: HttpRequest) => ({
  host: headers.host ?? "localhost",
  scheme: headers["x-forwarded-proto"] === "https" ? "https" : "http",
});
