import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Failure } from "../../domain/failure.ts";
import { bodyTooLarge, MAX_BODY_BYTES } from "./body.ts";
import { ALWAYS, type Edge } from "./edge.ts";
import { type HttpRequest, type HttpResponse, isPieces } from "./message.ts";
import { problem, type Refusal } from "./problem.ts";
import { UNREADABLE } from "./router.ts";

// What the bodies of all requests that are not answered yet may hold of the memory.
const MAX_HELD_BYTES = 128 * 1024 * 1024;
// How long a client that was refused may go on sending, so that it reads the refusal before the connection ends.
const LINGER_MS = 2_000;

// A shorter body that nobody asked for is read to its end rather than paid for with a new connection.
const READ_PAST_BYTES = 64 * 1024;

const NO_BODY = new Uint8Array();
const SAFE_REQUEST_ID = /^[\w.-]{1,64}$/;

let heldBytes = 0;

const tooBusy = (): Failure =>
  new Failure("unavailable", "Too much is arriving at once for this to be read to its end. Send it again.", {
    retryAfterSeconds: 1,
  });

const announced = (request: IncomingMessage): number => Number(request.headers["content-length"] ?? 0);

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";

/** What the body of one request takes of the memory, from its first byte until it is answered. */
interface Held {
  bytes: number;
}

function hold(held: Held, bytes: number): void {
  held.bytes += bytes;
  heldBytes += bytes;
}

/** Reads a body while it stays within bounds; gives up as soon as it does not. */
function readBody(request: IncomingMessage, limit: number, held: Held): Promise<Uint8Array> {
  if (!hasBody(request)) return Promise.resolve(NO_BODY);
  if (announced(request) > limit) return Promise.reject(bodyTooLarge(limit));
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    const stop = (failure: Failure): void => {
      request.off("data", take);
      reject(failure);
    };
    const take = (chunk: Uint8Array): void => {
      hold(held, chunk.byteLength);
      chunks.push(chunk);
      if (held.bytes > limit) stop(bodyTooLarge(limit));
      else if (heldBytes > MAX_HELD_BYTES) stop(tooBusy());
    };
    const gone = (): void => stop(clientGone());
    request.on("data", take);
    request.once("close", gone);
    request.once("end", () => {
      // Otherwise the close that follows would make up a failure, stack and all, for every good request.
      request.off("close", gone);
      resolve(joined(chunks));
    });
  });
}

const joined = (chunks: readonly Uint8Array[]): Uint8Array =>
  chunks.length === 1 ? (chunks[0] ?? NO_BODY) : Buffer.concat(chunks);

// Nobody is left to read it; the log shows it.
const clientGone = (): Failure => new Failure("invalid", "The connection ended before the body did.");

function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && SAFE_REQUEST_ID.test(given) ? given : randomUUID();
}

function flatHeaders({ headers }: IncomingMessage): HttpRequest["headers"] {
  // Only set-cookie comes as a list, and no request has it.
  return headers as Record<string, string | undefined>;
}

/** Most answers are there before anybody could go away: the signal is made for those that ask for it. */
function goneOf(response: ServerResponse): () => AbortSignal {
  let controller: AbortController | undefined;
  return () => {
    if (controller === undefined) {
      const made = new AbortController();
      controller = made;
      if (response.destroyed) made.abort();
      response.once("close", () => {
        if (!response.writableFinished) made.abort();
      });
    }
    return controller.signal;
  };
}

function requestOf(incoming: IncomingMessage, response: ServerResponse, held: Held): HttpRequest {
  const url = incoming.url ?? "/";
  const mark = url.indexOf("?");
  return {
    method: incoming.method ?? "GET",
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? "" : url.slice(mark + 1),
    headers: flatHeaders(incoming),
    read: (limit) => readBody(incoming, limit, held),
    address: incoming.socket.remoteAddress ?? "",
    requestId: requestIdOf(incoming),
    gone: goneOf(response),
  };
}

function send(
  response: ServerResponse,
  { status, headers, body }: HttpResponse,
  { method }: IncomingMessage,
  { goesOn, isLast }: { goesOn: boolean; isLast: boolean },
): void {
  const last = isLast ? { connection: "close" } : {};
  if (isPieces(body)) {
    response.writeHead(status, { ...headers, ...last });
    // Whoever reads sees by the connection's end in the middle of it that something is missing.
    pipeline(Readable.from(body), response).catch(() => response.destroy());
    return;
  }
  const hasNoLength = method === "HEAD" || status === 204 || status === 304;
  const length = hasNoLength ? {} : { "content-length": Buffer.byteLength(body) };
  response.writeHead(status, { ...headers, ...length, ...last });
  if (goesOn) response.end(body);
  else response.write(body);
}

/** Whether the connection can go on: the body is here, or so short that Node reads past it. */
const arrivedWhole = (request: IncomingMessage): boolean =>
  request.complete || !hasBody(request) || (announced(request) > 0 && announced(request) <= READ_PAST_BYTES);

/**
 * After an answer that did not wait for the body: throws away what is still to come, and only then ends the connection.
 * Ended at once, with bytes unread, it would be reset, and the client would not get to read the answer.
 */
function throwAwayRest(request: IncomingMessage, response: ServerResponse): void {
  const end = (): void => void response.end();
  const linger = setTimeout(end, LINGER_MS);
  request.once("end", end);
  request.once("close", () => clearTimeout(linger));
  request.resume();
}

let turn: Promise<void> | undefined;

/**
 * Fulfils at the end of this turn of the event loop, for all who wait in it. Answers written one by one wake a client on
 * the same machine one by one, at more than the cost of making them; written together they find it awake.
 */
function together(): Promise<void> {
  turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined;
      resolve();
    });
  });
  return turn;
}

/** Serves the edge to Node's HTTP server; while `isStopping`, each answer is the last of its connection. */
export function createListener(edge: Edge, isStopping: () => boolean = () => false) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const held: Held = { bytes: 0 };
    const answer = await edge(requestOf(request, response, held));
    heldBytes -= held.bytes;
    await together();
    const goesOn = arrivedWhole(request);
    send(response, answer, request, { goesOn, isLast: !goesOn || isStopping() });
    if (!goesOn) throwAwayRest(request, response);
  };
}

function failureOf(status: number): Failure {
  if (status === 413) return bodyTooLarge(MAX_BODY_BYTES);
  if (status >= 500) return new Failure("internal", "Something went wrong here before the request was read.");
  return new Failure("invalid", UNREADABLE);
}

/** A refusal that the edge never saw, with what is on every answer. */
function refused(failure: Failure): Refusal {
  const { headers, ...answer } = problem(failure);
  return { ...answer, headers: { ...headers, ...ALWAYS, "x-request-id": randomUUID() } };
}

/** The same refusal for what some server in front has refused by itself, with a status of its own. */
export const refusal = (status: number): Refusal => refused(failureOf(status));

const CLIENT_ERRORS: Record<string, Failure> = {
  HPE_HEADER_OVERFLOW: new Failure(
    "too_large",
    "The address and the headers together are larger than 16 KiB: send less.",
  ),
  ERR_HTTP_REQUEST_TIMEOUT: new Failure(
    "timeout",
    "The request did not arrive in time; nothing was stored. Send it again.",
  ),
};

/** Answers what Node's parser gives up on, and ends the connection: what would follow cannot be told apart. */
export function clientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const failure = CLIENT_ERRORS[error.code ?? ""] ?? new Failure("invalid", UNREADABLE);
  const { status, headers, body } = refused(failure);
  const lines = Object.entries({
    ...headers,
    "content-length": Buffer.byteLength(body),
    connection: "close",
  });
  const head = [`HTTP/1.1 ${status} Refused`, ...lines.map(([name, value]) => `${name}: ${value}`)].join(
    "\r\n",
  );
  socket.end(`${head}\r\n\r\n${body}`);
}
