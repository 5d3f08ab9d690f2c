/** A request as every server hands it to the edge: decoded no further than its headers. */
export interface HttpRequest {
  readonly method: string;
  /** The path without its query, as it was sent. */
  readonly path: string;
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body's bytes, as they were sent; rejects as soon as there are more than `limit`. */
  readonly read: (limit: number) => Promise<Uint8Array>;
  /** The caller's address, as the server knows it. */
  readonly address: string;
  readonly requestId: string;
  /** A signal that is given when nobody waits for the answer any more; made when it is first asked for. */
  readonly gone: () => AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Pieces of text are sent as they come; only a server with a socket of its own is given them. */
  readonly body: string | Uint8Array | AsyncIterable<string>;
}

export const isPieces = (body: HttpResponse["body"]): body is AsyncIterable<string> =>
  typeof body !== "string" && !(body instanceof Uint8Array);
