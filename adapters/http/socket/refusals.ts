import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { Failure } from "../../../domain/failure.ts";
import { problem, type Refusal } from "../answers/problem.ts";
import { ALWAYS } from "../edge.ts";
import { bodyTooLarge, MAX_BODY_BYTES } from "../requests/body.ts";
import { UNREADABLE } from "../router.ts";

// Node refuses some requests before the edge sees them, and answers them with a bare status. Here they get the answer that
// the edge would have given.

/** A refusal with the headers of every answer. */
export function refusalOf(failure: Failure): Refusal {
  const { headers, ...answer } = problem(failure);
  return { ...answer, headers: { ...headers, ...ALWAYS, "x-request-id": randomUUID() } };
}

function failureOf(status: number): Failure {
  if (status === 413) return bodyTooLarge(MAX_BODY_BYTES);
  if (status >= 500) return new Failure("internal", "Something went wrong here before the request was read.");
  return new Failure("invalid", UNREADABLE);
}

/** The refusal of a request that a server in front has refused by itself, with a status of its own. */
export const refusal = (status: number): Refusal => refusalOf(failureOf(status));

/** Writes a refusal to a connection without a response, and ends it: what follows cannot be parsed. */
function endWith(socket: Duplex, { status, headers, body }: Refusal): void {
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

function clientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") socket.destroy();
  else endWith(socket, refusalOf(CLIENT_ERRORS[error.code ?? ""] ?? new Failure("invalid", UNREADABLE)));
}

const METHODS = ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"];

/** How long a client that was refused CONNECT has to close the connection. */
const LINGER_MS = 2_000;

/** Node hands over the socket of a CONNECT: no limit of the server applies to it any more, and nothing handles its errors. */
function refuseConnect(_request: IncomingMessage, socket: Duplex): void {
  const linger = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(linger));
  // An error that nothing listens to would end the process.
  socket.on("error", () => {});
  socket.resume();
  const detail = "CONNECT is not taken here: this server is no proxy.";
  endWith(socket, refusalOf(new Failure("method_not_allowed", detail, { allow: METHODS })));
}

const EXPECTATION_FAILED = 417;

/** The one status without a code of its own: `Expect` knows a single value, and no client of an API sends another. */
function refuseExpectation({ headers: { expect } }: IncomingMessage, response: ServerResponse): void {
  const detail = `Expect: ${expect} cannot be met here: leave the header out, or send 100-continue.`;
  const { headers, body } = refusalOf(new Failure("invalid", detail));
  const text = JSON.stringify({ ...JSON.parse(body), status: EXPECTATION_FAILED });
  response.writeHead(EXPECTATION_FAILED, {
    ...headers,
    "content-length": Buffer.byteLength(text),
    connection: "close",
  });
  response.end(text);
}

/** Answers what Node would refuse by itself. Missing Host headers are for the edge: see `requireHostHeader`. */
export function refuseInProblems(server: Server): void {
  server.removeAllListeners("clientError");
  server.on("clientError", clientError);
  server.on("connect", refuseConnect);
  server.on("checkExpectation", refuseExpectation);
}
