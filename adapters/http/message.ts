import type { Failure } from "../../domain/failure.ts";

/** A request as every server hands it to the edge: decoded no further than its headers. */
export interface HttpRequest {
  readonly method: string;
  /** The path without its query, as it was sent. */
  readonly path: string;
  readonly query: string;
  /** Names are in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /**
   * Hands over the bytes of the body as they were sent, or the failure for which it was not read to its end: where it
   * has more than `limit` bytes, arrives too slowly, or there is no room for it. Called once, now or later.
   */
  readonly read: (limit: number, take: (body: Uint8Array | Failure) => void) => void;
  /**
   * Runs work that may take milliseconds, on a server of many clients one such request in each turn of the event loop. It
   * is given the failure where its turn did not come in time.
   */
  readonly inTurn: (work: (failure: Failure | undefined) => void) => void;
  /** The caller's address, as the server knows it. */
  readonly address: string;
  readonly requestId: string;
  /** Such as `1.1`; absent where the server does not tell. */
  readonly httpVersion?: string | undefined;
  /** Why the request cannot be taken, where its server has noticed something that its headers alone do not show. */
  readonly fault?: Failure | undefined;
  /** A signal that fires when the client has left. It is made on demand. */
  readonly gone: () => AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Pieces of text are sent one after the other. Only a server with a socket of its own is given them. */
  readonly body: string | Uint8Array | AsyncIterable<string>;
}

/** Takes the answer to one request. Called once, now or later. */
export type Respond = (response: HttpResponse) => void;

export const isPieces = (body: HttpResponse["body"]): body is AsyncIterable<string> =>
  typeof body !== "string" && !(body instanceof Uint8Array);
