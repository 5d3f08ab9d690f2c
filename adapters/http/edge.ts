import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import type { Endpoint, Outcome, Request, World } from "../../handlers/contract/endpoint.ts";
import { FaultList, invalid, unanswerable } from "../../handlers/contract/faults.ts";
import { Listing } from "../../handlers/contract/listing.ts";
import { wording } from "../../handlers/contract/wording.ts";
import type { Settings } from "../settings.ts";
import { refuseTooLong } from "./answer-size.ts";
import { decodeBody } from "./body.ts";
import { createCors } from "./cors.ts";
import { createDoor } from "./door.ts";
import type { FileServer } from "./files.ts";
import { listingResponse } from "./listing.ts";
import { createLogBudget } from "./log-budget.ts";
import { brokenOff, entryOf, type LogEntry, watched } from "./log-entry.ts";
import { type HttpRequest, type HttpResponse, isPieces } from "./message.ts";
import { withDescription } from "./openapi.ts";
import { internal, problem } from "./problem.ts";
import { createRouter, type Route, type Target } from "./router.ts";
import { OUTCOME_STATUS } from "./statuses.ts";

export interface EdgeParts {
  readonly endpoints: readonly Endpoint[];
  readonly world: World;
  readonly settings: Settings;
  readonly log: (entry: LogEntry) => void;
  /** Answers requests for the dashboard and the browser client. */
  readonly files: FileServer;
  /** The largest answer in bytes, as a string of JSON. Absent: answers have any size, and long ones are streamed. */
  readonly maxAnswerBytes?: number | undefined;
}

/** Answers any request at all; it never rejects. */
export type Edge = (request: HttpRequest) => Promise<HttpResponse>;

/** Parses one part of a request; its faults join those of the other parts. */
function parse(
  schema: z.ZodType | undefined,
  value: unknown,
  faults: FaultList,
  error: z.core.$ZodErrorMap = wording,
): never {
  const parsed = schema?.safeParse(value, { error });
  if (parsed?.error) faults.addIssues(parsed.error);
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

/** Where a parameter is no list, what is wrong with two values of it is that there are two. */
const once: z.core.$ZodErrorMap = (issue) =>
  Array.isArray(issue.input) && (issue.code === "invalid_type" || issue.code === "invalid_value")
    ? "must be given once"
    : wording(issue);

function parseQuery(
  { query: schema }: Endpoint,
  query: URLSearchParams | undefined,
  faults: FaultList,
): never {
  if (schema === undefined && query === undefined) return undefined as never;
  return parse(schema ?? NoQuery, query === undefined ? {} : queryObject(query), faults, once);
}

async function parseRequest(
  request: HttpRequest,
  endpoint: Endpoint,
  params: Route["params"],
  query: URLSearchParams | undefined,
): Promise<Request<never, never, never>> {
  const decoded = endpoint.body === undefined ? undefined : await decodeBody(request, endpoint);
  const faults = new FaultList();
  const parsed = {
    params: parse(endpoint.params, params, faults),
    query: parseQuery(endpoint, query, faults),
    body: parse(endpoint.body, decoded, faults),
  };
  if (faults.count > 0) throw refusalOf(endpoint)("request", faults.listed, faults.more);
  return {
    ...parsed,
    minimal: /(?:^|[,;\s])return=minimal(?:$|[,;\s])/i.test(request.headers.prefer ?? ""),
    gone: request.gone,
  };
}

/** The path of every request: route, rate limit, access, decode, parse, handle, answer. */
export function createEdge({ endpoints, world, settings, log, files, maxAnswerBytes }: EdgeParts): Edge {
  const router = createRouter(withDescription(endpoints));
  const cors = createCors(settings);
  const admit = createDoor(settings, cors, world.now);
  const withinBudget = createLogBudget(world.now);

  async function handle(
    request: HttpRequest,
    { target, params }: Route,
    query: URLSearchParams | undefined,
  ): Promise<Refused> {
    if (!("handle" in target)) return { response: await files(request, target) };
    const parsed = await parseRequest(request, target, params, query);
    const { outcome, body, cause } = await target.handle(parsed, world);
    return { response: await respond(target, outcome, body), failure: cause };
  }

  async function respond({ access }: Endpoint, outcome: Outcome, body: unknown): Promise<HttpResponse> {
    const status = OUTCOME_STATUS[outcome];
    if (outcome === "deleted") return { status, headers: {}, body: "" };
    if (body instanceof Listing) return listingResponse(body, status, maxAnswerBytes);
    const text = JSON.stringify(body);
    // A write has been stored by now, so its answer is sent at any size: a refusal would deny that.
    if (maxAnswerBytes !== undefined && access === "read") refuseTooLong(text, maxAnswerBytes);
    return { status, headers: { "content-type": "application/json; charset=utf-8" }, body: text };
  }

  function refuse(request: HttpRequest, error: unknown): Refused {
    if (error instanceof Failure) return { response: problem(error), failure: error };
    return { response: problem(internal(request.requestId)), failure: error };
  }

  async function answer(request: HttpRequest): Promise<Answered> {
    let target: Target | undefined;
    try {
      const route = router.find(request.method, request.path);
      target = route?.target;
      const query = request.query === "" ? undefined : new URLSearchParams(request.query);
      admit(request, query, target);
      if (request.method === "OPTIONS") return { target, response: cors.preflight(request, router) };
      if (route === undefined) throw router.refusal(request.method, request.path);
      return { target, ...(await handle(request, route, query)) };
    } catch (error) {
      return { target, ...refuse(request, error) };
    }
  }

  /** Logs within the budget. An error of the log itself must not cost the client its answer. */
  function note(entry: LogEntry): void {
    try {
      const within = withinBudget(entry);
      if (within !== undefined) log(within);
    } catch {
      // There is no other log to report it to.
    }
  }

  return async (request) => {
    const startedAt = performance.now();
    const { response, target, failure } = await answer(request);
    note(entryOf(request, response, target, failure, performance.now() - startedAt));
    const headers: Record<string, string> = Object.assign(
      {},
      ALWAYS,
      response.headers,
      request.method === "OPTIONS" ? undefined : cors.headers(request, target?.access),
    );
    headers["x-request-id"] = request.requestId;
    if (request.method === "HEAD") return { status: response.status, headers, body: "" };
    if (!isPieces(response.body)) return { status: response.status, headers, body: response.body };
    const noteBreak = (error: unknown): void =>
      note(brokenOff(request, entryOf(request, response, target, error, performance.now() - startedAt)));
    return { status: response.status, headers, body: watched(response.body, noteBreak) };
  };
}

/** On every answer, unless the answer knows better. */
export const ALWAYS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

interface Refused {
  readonly response: HttpResponse;
  readonly failure?: unknown;
}

interface Answered extends Refused {
  readonly target: Target | undefined;
}
