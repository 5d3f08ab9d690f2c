import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpRequest } from "../message.ts";
import type { Take, Uploads } from "./uploads.ts";

const SAFE_REQUEST_ID = /^[\w.-]{1,64}$/;

/** Node's request as the edge sees it. What most requests never ask for is made when it is asked for. */
export class NodeRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: HttpRequest["headers"];
  readonly #incoming: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #uploads: Uploads;
  #requestId: string | undefined;
  #controller: AbortController | undefined;

  constructor(incoming: IncomingMessage, response: ServerResponse, uploads: Uploads) {
    const url = incoming.url ?? "/";
    const mark = url.indexOf("?");
    this.method = incoming.method ?? "GET";
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? "" : url.slice(mark + 1);
    // Only set-cookie comes as a list, and no request has it.
    this.headers = incoming.headers as HttpRequest["headers"];
    this.#incoming = incoming;
    this.#response = response;
    this.#uploads = uploads;
  }

  readonly read = (limit: number, take: Take): void => this.#uploads.read(this.#incoming, limit, take);

  get address(): string {
    return this.#incoming.socket.remoteAddress ?? "";
  }

  get requestId(): string {
    this.#requestId ??= requestIdOf(this.headers["x-request-id"]);
    return this.#requestId;
  }

  readonly gone = (): AbortSignal => {
    this.#controller ??= abortedWhenGone(this.#response);
    return this.#controller.signal;
  };
}

const requestIdOf = (given: string | undefined): string =>
  given !== undefined && SAFE_REQUEST_ID.test(given) ? given : randomUUID();

function abortedWhenGone(response: ServerResponse): AbortController {
  const controller = new AbortController();
  if (response.destroyed) controller.abort();
  response.once("close", () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller;
}
