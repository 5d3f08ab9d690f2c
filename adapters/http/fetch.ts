import { randomUUID } from "node:crypto";
import type { Failure } from "../../domain/failure.ts";
import type { Edge } from "./edge.ts";
import { type HttpRequest, type HttpResponse, isPieces } from "./message.ts";
import { bodyTooLarge, clientGone } from "./requests/body.ts";

/** Who asks, which a `Request` does not tell. */
export interface Caller {
  /**
   * The caller's address, from the host server. Without it no caller counts as local, so that a server without keys refuses
   * everybody, and all callers share one rate limit.
   */
  readonly address?: string | undefined;
}

export type Fetch = (request: Request, caller?: Caller) => Promise<Response>;

/** Reads a body up to a limit, and gives up its rest. */
async function bytesOf({ body }: Request, limit: number): Promise<Uint8Array | Failure> {
  if (body === null) return new Uint8Array();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop cancels the stream.
  for await (const piece of body) {
    bytes += piece.byteLength;
    if (bytes > limit) return bodyTooLarge(limit);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function requestOf(request: Request, { address = "" }: Caller): HttpRequest {
  const { pathname, search, host } = new URL(request.url);
  return {
    method: request.method,
    path: pathname,
    query: search.slice(1),
    headers: { host, ...Object.fromEntries(request.headers) },
    read: (limit, take) => {
      bytesOf(request, limit).then(take, () => take(clientGone()));
    },
    inTurn: (work) => work(undefined),
    address,
    requestId: randomUUID(),
    gone: () => request.signal,
  };
}

function streamOf(pieces: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

// These have no body, and a Response refuses an empty one.
const WITHOUT_BODY = new Set([204, 304]);

function responseOf({ status, headers, body }: HttpResponse): Response {
  if (WITHOUT_BODY.has(status)) return new Response(null, { status, headers });
  return new Response(isPieces(body) ? streamOf(body) : body, { status, headers });
}

/** Serves the edge as a function of a `Request`, as Hono, Next, Deno and Bun call their handlers. */
export function createFetch(edge: Edge): Fetch {
  return async (request, caller = {}) =>
    responseOf(await new Promise<HttpResponse>((resolve) => edge(requestOf(request, caller), resolve)));
}
