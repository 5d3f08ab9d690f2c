import { Failure } from "../../domain/failure.ts";
import type { Access, Endpoint, Outcome, World } from "../../handlers/contract/endpoint.ts";
import { Listing } from "../../handlers/contract/listing.ts";
import { PlainText } from "../../handlers/contract/plain-text.ts";
import type { Settings } from "../settings.ts";
import { refuseTooLong } from "./answers/answer-size.ts";
import type { StaticFiles } from "./answers/files.ts";
import { listingResponse } from "./answers/listing.ts";
import { withDescription } from "./answers/openapi.ts";
import { textResponse } from "./answers/plain-text.ts";
import { internal, problem } from "./answers/problem.ts";
import { refusedRequest } from "./answers/refused-request.ts";
import { type JsonResponse, revalidated } from "./answers/revalidated.ts";
import { OUTCOME_STATUS } from "./answers/statuses.ts";
import { createCors } from "./door/cors.ts";
import { createDoor } from "./door/door.ts";
import { createLogBudget } from "./log/log-budget.ts";
import { brokenOff, entryOf, type Log, type LogEntry, watched } from "./log/log-entry.ts";
import { type HttpRequest, type HttpResponse, isPieces, type Respond } from "./message.ts";
import { readBody } from "./requests/body.ts";
import { createDecompression } from "./requests/decompression.ts";
import { parseRequest } from "./requests/parse-request.ts";
import { createVisitors } from "./requests/visitors.ts";
import { createRouter, type Route, type Target } from "./router.ts";

export interface EdgeParts {
  readonly endpoints: readonly Endpoint[];
  readonly world: World;
  readonly settings: Settings;
  readonly log: Log;
  /** The dashboard and the browser client. */
  readonly files: StaticFiles;
  /** The largest answer in bytes, as a string of JSON. Absent: answers have any size, and long ones are streamed. */
  readonly maxAnswerBytes?: number | undefined;
}

/** Answers any request at all. It never throws, and calls `respond` once: at once, or when storage has answered. */
export type Edge = (request: HttpRequest, respond: Respond) => void;

/** One request on its way to its answer. */
interface Exchange {
  readonly request: HttpRequest;
  readonly respond: Respond;
  readonly startedAt: number;
  target: Target | undefined;
  params: Route["params"];
}

/** The headers of every answer; an answer may have others of the same names. */
export const ALWAYS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/** A longer query may have hundreds of parameters, which take milliseconds to check. */
const MAX_QUERY_AT_ONCE = 2_000;

/** The endpoint or file of an exchange, for figures: paths that are unknown share one name. */
const nameOf = ({ request, target }: Exchange): string =>
  target?.name ?? (request.method === "OPTIONS" ? "options" : "none");

const NO_PARAMS: Route["params"] = {};

/** A refusal in the words of the endpoint's format: a problem document, or what clients of another product expect. */
function refusalResponse(failure: Failure, { target, params }: Exchange): HttpResponse {
  const made = problem(failure);
  const refusal = target !== undefined && "foreign" in target ? target.foreign?.refusal : undefined;
  if (refusal === undefined) return made;
  const headers = { ...made.headers, "content-type": "application/json; charset=utf-8" };
  return { ...made, headers, body: JSON.stringify(refusal(failure, params)) };
}

/** The last resort, where not even the answer to a failure can be made. */
const BARE_FAILURE: HttpResponse = { status: 500, headers: ALWAYS, body: "" };

/**
 * Builds the path of every request: route, rate, keys, body, schemas, endpoint, answer. It is synchronous but for the
 * arrival of the body and the promise of the endpoint, so that a request costs no promise that it does not need.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the edge's parts and the steps that share them.
export function createEdge({ endpoints, world, settings, log, files, maxAnswerBytes }: EdgeParts): Edge {
  const router = createRouter([...withDescription(endpoints), ...files.list]);
  const cors = createCors(settings);
  const door = createDoor(settings, cors, world.now);
  const visitors = createVisitors(settings, world.now);
  const withinBudget = createLogBudget(world.now);
  const decompress = createDecompression();

  function begin(exchange: Exchange): void {
    const { request } = exchange;
    if (request.fault !== undefined) throw request.fault;
    const route = router.find(request.method, request.path);
    exchange.target = route?.target;
    const query = request.query === "" ? undefined : new URLSearchParams(request.query);
    exchange.params = route?.params ?? NO_PARAMS;
    door.admit(request, query, route?.target);
    if (request.method === "OPTIONS") answer(exchange, cors.preflight(request, router));
    else if (route === undefined) throw router.refusal(request.method, request.path);
    else handle(exchange, route, query);
  }

  function handle(exchange: Exchange, { target, params }: Route, query: URLSearchParams | undefined): void {
    const { request } = exchange;
    if (!("handle" in target)) answerLater(exchange, files.serve(request, target));
    else if (target.body === undefined && request.query.length > MAX_QUERY_AT_ONCE) {
      request.inTurn((failure) =>
        attempt(exchange, () => {
          if (failure !== undefined) throw failure;
          run(exchange, target, params, query, undefined);
        }),
      );
    } else if (target.body === undefined) run(exchange, target, params, query, undefined);
    else {
      readBody(request, target, decompress, (decode) =>
        attempt(exchange, () => run(exchange, target, params, query, decode())),
      );
    }
  }

  function run(
    exchange: Exchange,
    endpoint: Endpoint,
    params: Route["params"],
    query: URLSearchParams | undefined,
    body: unknown,
  ): void {
    door.admitLate(exchange.request, query, endpoint, body, params);
    const parsed = parseRequest(exchange.request, endpoint, params, query, body, visitors);
    endpoint.handle(parsed, world).then(
      (reply) => attempt(exchange, () => answerReply(exchange, endpoint, reply)),
      (error) => refuse(exchange, error),
    );
  }

  function answerReply(
    exchange: Exchange,
    { access, isRevalidated }: Endpoint,
    { outcome, body, json, cause }: { outcome: Outcome; body: unknown; json?: string; cause?: unknown },
  ): void {
    const status = OUTCOME_STATUS[outcome];
    if (outcome === "deleted" || outcome === "accepted") answer(exchange, { status, headers: {}, body: "" });
    else if (body instanceof PlainText) answer(exchange, textResponse(body, status));
    else if (body instanceof Listing) {
      answerLater(exchange, listingResponse(body, status, maxAnswerBytes, exchange.request.inTurn));
    } else {
      const response = jsonResponse(access, status, json ?? JSON.stringify(body));
      answer(exchange, isRevalidated ? revalidated(response, exchange.request) : response, cause);
    }
  }

  function jsonResponse(access: Access, status: number, text: string): JsonResponse {
    // A write has been stored by now, so its answer is sent at any size: a refusal would deny that.
    if (maxAnswerBytes !== undefined && (access === "read" || access === "share"))
      refuseTooLong(text, maxAnswerBytes);
    return { status, headers: { "content-type": "application/json; charset=utf-8" }, body: text };
  }

  function answerLater(exchange: Exchange, response: Promise<HttpResponse>): void {
    response.then(
      (made) => attempt(exchange, () => answer(exchange, made)),
      (error) => refuse(exchange, error),
    );
  }

  /** Runs a step of an exchange. Whatever it throws becomes the answer. */
  function attempt(exchange: Exchange, step: () => void): void {
    try {
      step();
    } catch (error) {
      refuse(exchange, error);
    }
  }

  const refuse = (exchange: Exchange, error: unknown): void => exchange.respond(refusalOf(exchange, error));

  /** Nothing that goes wrong here may leave a client without an answer, or reach a server that cannot handle it. */
  function refusalOf(exchange: Exchange, error: unknown): HttpResponse {
    try {
      const failure = error instanceof Failure ? error : internal(exchange.request.requestId);
      world.activity.refusals.note(refusedRequest(nameOf(exchange), failure), world.now());
      return complete(exchange, refusalResponse(failure, exchange), error);
    } catch {
      return BARE_FAILURE;
    }
  }

  function answer(exchange: Exchange, response: HttpResponse, failure?: unknown): void {
    exchange.respond(complete(exchange, response, failure));
  }

  /** Logs the exchange and adds what every answer has. */
  function complete(exchange: Exchange, response: HttpResponse, failure: unknown): HttpResponse {
    const { request, target } = exchange;
    const { status, body } = response;
    world.activity.requests.note(nameOf(exchange), status, performance.now() - exchange.startedAt);
    noteExchange(exchange, status, failure);
    const headers: Record<string, string> = Object.assign(
      {},
      ALWAYS,
      response.headers,
      request.method === "OPTIONS" ? undefined : cors.headers(request, target?.access),
    );
    headers["x-request-id"] = request.requestId;
    if (request.method === "HEAD") return { status, headers, body: "" };
    if (!isPieces(body)) return { status, headers, body };
    return { status, headers, body: watched(body, (error) => noteBreak(exchange, status, error)) };
  }

  const soFar = (exchange: Exchange, status: number, failure: unknown) => ({
    request: exchange.request,
    target: exchange.target,
    status,
    failure,
    durationMs: performance.now() - exchange.startedAt,
  });

  const noteExchange = (exchange: Exchange, status: number, failure: unknown): void =>
    note(() => entryOf(soFar(exchange, status, failure), log.shows));

  const noteBreak = (exchange: Exchange, status: number, failure: unknown): void =>
    note(() => brokenOff(soFar(exchange, status, failure)));

  /** Logs within the budget. An error of the log itself must not cost the client its answer. */
  function note(entryOf: () => LogEntry | undefined): void {
    try {
      const entry = entryOf();
      const within = entry && withinBudget(entry);
      if (within !== undefined) log.write(within);
    } catch {
      // There is no other log to report it to.
    }
  }

  return (request, respond) => {
    const exchange: Exchange = {
      request,
      respond,
      startedAt: performance.now(),
      target: undefined,
      params: NO_PARAMS,
    };
    attempt(exchange, () => begin(exchange));
  };
}
