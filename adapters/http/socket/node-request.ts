import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Failure } from "../../../domain/failure.ts";
import type { HttpRequest } from "../message.ts";
import { faultOfHost, parseTarget } from "../requests/request-target.ts";
import { wasReadBefore } from "./read-before.ts";
import type { Take, Uploads } from "./uploads.ts";

const SAFE_REQUEST_ID = /^[\w.-]{1,64}$/;

/** Node's request as the edge sees it. The parts that few requests need are made on demand. */
export class NodeRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: HttpRequest["headers"];
  readonly #incoming: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #uploads: Uploads;
  readonly #invites: boolean;
  #requestId: string | undefined;
  #controller: AbortController | undefined;

  constructor(incoming: IncomingMessage, response: ServerResponse, uploads: Uploads, invites: boolean) {
    const { path, query, host } = parseTarget(incoming.url ?? "/");
    this.method = incoming.method ?? "GET";
    this.path = path;
    this.query = query;
    this.headers = headersOf(incoming, host);
    this.#incoming = incoming;
    this.#response = response;
    this.#uploads = uploads;
    this.#invites = invites;
  }

  readonly read = (limit: number, take: Take): void =>
    this.#uploads.read(this.#incoming, limit, take, () => this.#invite());

  readonly inTurn: HttpRequest["inTurn"] = (work) => this.#uploads.inTurn(this.#incoming, work);

  #invite(): void {
    if (this.#invites && this.headers.expect !== undefined) this.#response.writeContinue();
  }

  get httpVersion(): string {
    return this.#incoming.httpVersion;
  }

  get fault(): Failure | undefined {
    return faultOfHost(this.#incoming.rawHeaders, this.#incoming.httpVersion);
  }

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

function headersOf(incoming: IncomingMessage, host: string | undefined): HttpRequest["headers"] {
  // Only set-cookie comes as a list, and no request has it.
  const headers = incoming.headers as HttpRequest["headers"];
  const readBefore = headers["content-encoding"] !== undefined && wasReadBefore(incoming);
  if (host === undefined && !readBefore) return headers;
  return {
    ...headers,
    ...(host === undefined ? {} : { host }),
    ...(readBefore ? { "content-encoding": undefined } : {}),
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
