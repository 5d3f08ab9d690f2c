import type { IncomingMessage } from "node:http";
import { Failure } from "../../../domain/failure.ts";

// Mounted in another server, a request may have passed a middleware that reads bodies, such as express.json().

const NOTHING_LEFT =
  "Something in this server has read the body before the analytics server got the request: " +
  "pass requests on to it before body parsers run.";

/** Whether the body has been read, and decompressed where it was compressed. */
export const wasReadBefore = (request: IncomingMessage): boolean =>
  request.readableDidRead && request.readableEnded;

/** The bytes of a body that a middleware has left in `request.body`, parsed or not. */
export function bodyReadBefore(request: IncomingMessage & { readonly body?: unknown }): Uint8Array | Failure {
  const { body } = request;
  if (body === undefined) return new Failure("internal", NOTHING_LEFT);
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}
