import { z } from "zod";
import { Failure, type Fault } from "../../domain/failure.ts";
import type { Endpoint, Request, World } from "../../handlers/endpoint.ts";
import { faultsOf, invalid } from "../../handlers/faults.ts";
import { OUTCOME_STATUS } from "../../handlers/statuses.ts";
import type { Settings } from "../environment.ts";
import { createGate, keyOf } from "./access.ts";
import { decodeBody } from "./body.ts";
import { createCors } from "./cors.ts";
import type { HttpRequest, HttpResponse } from "./message.ts";
import { internal, problem } from "./problem.ts";
import { createLimiter } from "./rate.ts";
import { createRouter, type Route } from "./router.ts";

/** One line of log a request. */
export interface LogEntry {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly request_id: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly duration_ms: number;
  readonly code?: string;
  readonly error?: unknown;
}

export interface EdgeParts {
  readonly endpoints: readonly Endpoint[];
  readonly world: World;
  readonly settings: Settings;
  readonly log: (entry: LogEntry) => void;
}

/** Answers any request at all; it never rejects. */
export type Edge = (request: HttpRequest) => Promise<HttpResponse>;

/** Parses one part of a request; its faults join those of the other parts. */
function parse(schema: z.ZodType | undefined, value: unknown, faults: Fault[]): never {
  const parsed = schema?.safeParse(value);
  if (parsed?.error) faults.push(...faultsOf(parsed.error));
  return parsed?.data as never;
}

const NoQuery = z.strictObject({});

function queryObject(query: URLSearchParams): Record<string, string | string[]> {
  const object: Record<string, string | string[]> = Object.create(null);
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name);
    // The key has been looked at already, and is nobody else's affair.
    if (name !== "key") object[name] = values.length === 1 ? (values[0] ?? "") : values;
  }
  return object;
}

function parseQuery({ query: schema }: Endpoint, query: URLSearchParams | undefined, faults: Fault[]): never {
  if (schema === undefined && query === undefined) return undefined as never;
  return parse(schema ?? NoQuery, query === undefined ? {} : queryObject(query), faults);
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
  if (faults.length > 0) throw invalid("request", faults);
  return {
    ...parsed,
    minimal: /(?:^|[,;\s])return=minimal(?:$|[,;\s])/i.test(request.headers.prefer ?? ""),
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

  async function handle(request: HttpRequest, route: Route): Promise<HttpResponse> {
    const { endpoint } = route;
    const query = request.query === "" ? undefined : new URLSearchParams(request.query);
    const key = keyOf(request, query);
    const caller = gate.callerOf(request, key);
    limit(caller.name, world.now());
    gate.admit(request, key, caller, endpoint.access);
    refuseForeignPage(request, endpoint);
    const { outcome, body } = await endpoint.handle(await parseRequest(request, route, query), world);
    const status = OUTCOME_STATUS[outcome];
    if (outcome === "deleted") return { status, headers: {}, body: "" };
    return {
      status,
      headers: { "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify(body),
    };
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
      return { endpoint, response: await handle(request, route) };
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
      response.headers,
      request.method === "OPTIONS" ? undefined : cors.headers(request, endpoint?.access),
      ALWAYS,
    );
    headers["x-request-id"] = request.requestId;
    return { status: response.status, headers, body: request.method === "HEAD" ? "" : response.body };
  };
}

/** On every answer. */
export const ALWAYS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

interface Refused {
  readonly response: HttpResponse;
  readonly failure?: unknown;
}

interface Answered extends Refused {
  readonly endpoint: Endpoint | undefined;
}

// A line costs more than storing an event does: what succeeded in writing is worth one only to who debugs.
function levelOf(status: number, endpoint: Endpoint | undefined): LogEntry["level"] {
  if (status >= 500) return "error";
  if (status >= 400) return "warn";
  return endpoint?.access === "write" || endpoint?.access === "open" ? "debug" : "info";
}

function entryOf(
  { requestId, method, path }: HttpRequest,
  { status }: HttpResponse,
  endpoint: Endpoint | undefined,
  failure: unknown,
  duration: number,
): LogEntry {
  const error = failure instanceof Failure ? failure.cause : failure;
  return {
    level: levelOf(status, endpoint),
    message: endpoint?.name ?? "no endpoint",
    request_id: requestId,
    method,
    path,
    status,
    duration_ms: Math.round(duration * 100) / 100,
    ...(failure instanceof Failure ? { code: failure.code } : {}),
    ...(error === undefined ? {} : { error }),
  };
}
