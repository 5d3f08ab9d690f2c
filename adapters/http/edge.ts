import { z } from "zod";
import { Failure, type Fault } from "../../domain/failure.ts";
import { Document } from "../../handlers/contract/document.ts";
import type { Endpoint, Request, World } from "../../handlers/contract/endpoint.ts";
import { faultsOf, invalid, unanswerable } from "../../handlers/contract/faults.ts";
import { OUTCOME_STATUS, type Outcome } from "../../handlers/contract/statuses.ts";
import { wording } from "../../handlers/contract/wording.ts";
import type { Settings } from "../settings.ts";
import { createGate, keyOf } from "./access.ts";
import { refuseTooLong } from "./answer-size.ts";
import { decodeBody } from "./body.ts";
import { createCors } from "./cors.ts";
import { brokenOff, entryOf, type LogEntry, watched } from "./log-entry.ts";
import { type HttpRequest, type HttpResponse, isPieces } from "./message.ts";
import { internal, problem } from "./problem.ts";
import { createLimiter } from "./rate.ts";
import { createRouter, type Route } from "./router.ts";

export interface EdgeParts {
  readonly endpoints: readonly Endpoint[];
  readonly world: World;
  readonly settings: Settings;
  readonly log: (entry: LogEntry) => void;
}

/** Answers any request at all; it never rejects. */
export type Edge = (request: HttpRequest) => Promise<HttpResponse>;

/** Parses one part of a request; its faults join those of the other parts. */
function parse(
  schema: z.ZodType | undefined,
  value: unknown,
  faults: Fault[],
  error: z.core.$ZodErrorMap = wording,
): never {
  const parsed = schema?.safeParse(value, { error });
  if (parsed?.error) faults.push(...faultsOf(parsed.error));
  return parsed?.data as never;
}

const refusalOf = ({ access }: Endpoint) =>
  access === "write" || access === "admin" ? invalid : unanswerable;

const NoQuery = z.strictObject({});

type QueryValue = string | string[] | { [name: string]: string | string[] };

/** The values of a query by their names; those of `name[key]` as an object, which OpenAPI calls a deepObject. */
function queryObject(query: URLSearchParams): Record<string, QueryValue> {
  const object: Record<string, QueryValue> = Object.create(null);
  for (const name of new Set(query.keys())) {
    // The key has been looked at already, and is nobody else's affair.
    if (name === "key") continue;
    const values = query.getAll(name);
    const value = values.length === 1 ? (values[0] ?? "") : values;
    const [, outer = name, inner] = /^(\w+)\[(.+)\]$/.exec(name) ?? [];
    const within = inner === undefined ? undefined : (object[outer] ?? Object.create(null));
    if (inner === undefined || typeof within !== "object" || Array.isArray(within)) object[name] = value;
    else object[outer] = Object.assign(within, { [inner]: value });
  }
  return object;
}

/** Where a parameter is no list, what is wrong with two values of it is that there are two. */
const once: z.core.$ZodErrorMap = (issue) =>
  Array.isArray(issue.input) && (issue.code === "invalid_type" || issue.code === "invalid_value")
    ? "must be given once"
    : wording(issue);

function parseQuery({ query: schema }: Endpoint, query: URLSearchParams | undefined, faults: Fault[]): never {
  if (schema === undefined && query === undefined) return undefined as never;
  return parse(schema ?? NoQuery, query === undefined ? {} : queryObject(query), faults, once);
}

async function parseRequest(
  request: HttpRequest,
  { endpoint, params }: Route,
  query: URLSearchParams | undefined,
): Promise<Request<never, never, never>> {
  const decoded = endpoint.body === undefined ? undefined : await decodeBody(request, endpoint);
  const faults: Fault[] = [];
  const parsed = {
    params: parse(endpoint.params, params, faults),
    query: parseQuery(endpoint, query, faults),
    body: parse(endpoint.body, decoded, faults),
  };
  if (faults.length > 0) throw refusalOf(endpoint)("request", faults);
  return {
    ...parsed,
    minimal: /(?:^|[,;\s])return=minimal(?:$|[,;\s])/i.test(request.headers.prefer ?? ""),
    gone: request.gone,
  };
}

/** The way of every request: route, rate, gate, decode, parse, handle, answer. */
export function createEdge({ endpoints, world, settings, log }: EdgeParts): Edge {
  const router = createRouter(endpoints);
  const cors = createCors(settings);
  const gate = createGate(settings.keys);
  const limit = createLimiter(settings.rate);

  /** A page may have sent this without asking first; where no key is needed, only its origin tells friend from foe. */
  function refuseForeignPage(request: HttpRequest, { access }: Endpoint): void {
    const { origin } = request.headers;
    if (settings.keys !== undefined || origin === undefined || cors.allows(request, origin, access)) return;
    throw new Failure("forbidden", `Pages of ${origin} may not use this: add it to ANALYTICS_CORS_ORIGINS.`);
  }

  async function handle(request: HttpRequest, route: Route): Promise<Refused> {
    const { endpoint } = route;
    const query = request.query === "" ? undefined : new URLSearchParams(request.query);
    const key = keyOf(request, query);
    const caller = gate.callerOf(request, key);
    limit(caller.name, world.now());
    gate.admit(request, key, caller, endpoint.access);
    refuseForeignPage(request, endpoint);
    const { outcome, body, cause } = await endpoint.handle(await parseRequest(request, route, query), world);
    return { response: respond(request, endpoint, outcome, body), failure: cause };
  }

  function respond(request: HttpRequest, endpoint: Endpoint, outcome: Outcome, body: unknown): HttpResponse {
    const status = OUTCOME_STATUS[outcome];
    if (outcome === "deleted") return { status, headers: {}, body: "" };
    if (body instanceof Document) return documentResponse(request, status, body);
    const text = JSON.stringify(body);
    // What has been stored is answered whatever its size: a refusal would say that it was not.
    if (!world.streams && endpoint.access === "read") refuseTooLong(text);
    return { status, headers: { "content-type": "application/json; charset=utf-8" }, body: text };
  }

  function refuse(request: HttpRequest, error: unknown): Refused {
    if (error instanceof Failure) return { response: problem(error), failure: error };
    return { response: problem(internal(request.requestId)), failure: error };
  }

  async function answer(request: HttpRequest): Promise<Answered> {
    let endpoint: Endpoint | undefined;
    try {
      if (request.method === "OPTIONS") return { endpoint, response: cors.preflight(request, router) };
      const route = router.route(request.method, request.path);
      endpoint = route.endpoint;
      return { endpoint, ...(await handle(request, route)) };
    } catch (error) {
      return { endpoint, ...refuse(request, error) };
    }
  }

  /** What goes wrong in logging must not turn an answer, whose work is done, into none. */
  function note(entry: LogEntry): void {
    try {
      log(entry);
    } catch {
      // There is nowhere left to say so.
    }
  }

  return async (request) => {
    const startedAt = performance.now();
    const { response, endpoint, failure } = await answer(request);
    note(entryOf(request, response, endpoint, failure, performance.now() - startedAt));
    const headers: Record<string, string> = Object.assign(
      {},
      ALWAYS,
      response.headers,
      request.method === "OPTIONS" ? undefined : cors.headers(request, endpoint?.access),
    );
    headers["x-request-id"] = request.requestId;
    if (request.method === "HEAD") return { status: response.status, headers, body: "" };
    if (!isPieces(response.body)) return { status: response.status, headers, body: response.body };
    const noteBreak = (error: unknown): void =>
      note(brokenOff(request, entryOf(request, response, endpoint, error, performance.now() - startedAt)));
    return { status: response.status, headers, body: watched(response.body, noteBreak) };
  };
}

const hasTag = ({ headers }: HttpRequest, etag: string): boolean =>
  headers["if-none-match"]?.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag) ?? false;

/** A document as this client can read it; nothing of it where the client has it already. */
function documentResponse(request: HttpRequest, status: number, document: Document): HttpResponse {
  const { etag, gzip, headers } = document.traits;
  const tagged: Record<string, string> = { ...headers };
  if (gzip !== undefined) tagged.vary = "accept-encoding";
  if (etag !== undefined) tagged.etag = etag;
  if (etag !== undefined && hasTag(request, etag)) return { status: 304, headers: tagged, body: "" };
  const typed = { "content-type": document.type, ...tagged };
  if (gzip === undefined || !/\bgzip\b/.test(request.headers["accept-encoding"] ?? "")) {
    return { status, headers: typed, body: document.content };
  }
  return { status, headers: { ...typed, "content-encoding": "gzip" }, body: gzip };
}

/** On every answer, unless the answer knows better. */
export const ALWAYS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

interface Refused {
  readonly response: HttpResponse;
  readonly failure?: unknown;
}

interface Answered extends Refused {
  readonly endpoint: Endpoint | undefined;
}
