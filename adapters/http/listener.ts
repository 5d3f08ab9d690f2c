import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { Failure } from "../../domain/failure.ts";
import { bodyTooLarge, MAX_BODY_BYTES } from "./body.ts";
import { ALWAYS, type Edge } from "./edge.ts";
import { problem, type Refusal } from "./problem.ts";
import { UNREADABLE } from "./router.ts";
import { createAnswers } from "./socket/answers.ts";
import { NodeRequest } from "./socket/node-request.ts";
import { oneAtATime } from "./socket/pipeline.ts";
import { createUploads } from "./socket/uploads.ts";

export interface ListenerOptions {
  /** Whether the storage can take a large write now. While it cannot, large bodies are not read. */
  readonly hasRoom?: () => boolean;
  /** While the server stops, each answer is the last of its connection. */
  readonly isStopping?: () => boolean;
}

export type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves the edge to Node's HTTP server. */
export function createListener(
  edge: Edge,
  { hasRoom = () => true, isStopping = () => false }: ListenerOptions = {},
): Listener {
  const uploads = createUploads(hasRoom);
  const answer = createAnswers(isStopping);
  return oneAtATime((request, response) => {
    edge(new NodeRequest(request, response, uploads), (content) => {
      uploads.release(request);
      answer({ request, response, content });
    });
  });
}

function failureOf(status: number): Failure {
  if (status === 413) return bodyTooLarge(MAX_BODY_BYTES);
  if (status >= 500) return new Failure("internal", "Something went wrong here before the request was read.");
  return new Failure("invalid", UNREADABLE);
}

/** A refusal that the edge never saw, with the headers of every answer. */
function refused(failure: Failure): Refusal {
  const { headers, ...answer } = problem(failure);
  return { ...answer, headers: { ...headers, ...ALWAYS, "x-request-id": randomUUID() } };
}

/** The same refusal for a request that a server in front has refused by itself, with a status of its own. */
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

/** Answers a request that Node's parser gives up on, and ends the connection: what follows cannot be parsed either. */
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
