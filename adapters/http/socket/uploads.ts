import type { IncomingMessage } from "node:http";
import { Failure } from "../../../domain/failure.ts";
import { bodyTooLarge, clientGone, MIN_BYTES_IN_TURN } from "../requests/body.ts";
import { createBlocks } from "./blocks.ts";
import { Collected } from "./collected.ts";
import { createHolding } from "./holding.ts";
import { createPace } from "./pace.ts";
import { bodyReadBefore, wasReadBefore } from "./read-before.ts";
import { createTurnstile, type Turnstile } from "./turnstile.ts";

/** Bodies of which a part has arrived may hold this much memory together. */
const MAX_UNFINISHED_BYTES = 32 * 1024 * 1024;
/** Whole bodies that wait to be stored and answered: beyond this every further one is refused. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** While this much waits to be stored, no further large body is read: it waits in the socket, where it costs nothing. */
const READ_AHEAD_BYTES = 4 * 1024 * 1024;
/** A smaller body never waits for the large ones. */
const LARGE_BYTES = 64 * 1024;
// Pieces of a byte or two, as no client sends them, would cost a hundred times their size in processor time.
const MIN_PIECE_BYTES = 16;
const MANY_PIECES = 1_000;

const NO_BODY = new Uint8Array();

export type Take = (body: Uint8Array | Failure) => void;

/** The bodies of all requests to one server, from their first byte until their requests are answered. */
export interface Uploads {
  /** Reads a body, and hands it over when it is its turn. Calls `invite` before it reads from the connection. */
  read(request: IncomingMessage, limit: number, take: Take, invite: () => void): void;
  /** Runs work on what a request has sent when it is its turn. */
  inTurn(request: IncomingMessage, work: (failure: Failure | undefined) => void): void;
  /** The request has been answered: its body holds no memory any more. */
  release(request: IncomingMessage): void;
}

export const announcedBytes = ({ headers }: IncomingMessage): number =>
  Number(headers["content-length"] ?? 0);

export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";

const isCompressed = ({ headers }: IncomingMessage): boolean =>
  (headers["content-encoding"] ?? "identity") !== "identity";

const crowdedOut = (): Failure =>
  new Failure("unavailable", "Too much is arriving at once for this body to be kept. Send it again.", {
    retryAfterSeconds: 1,
  });

/** Whether a body arrives in pieces so small that reading them costs more than storing the body. */
export const areTiny = (pieces: number, bytes: number): boolean =>
  pieces > MANY_PIECES && bytes < pieces * MIN_PIECE_BYTES;

/** Waits for a turn. A client that has left meanwhile takes none from those that still wait. */
const waitFor = (
  turnstile: Turnstile,
  { socket }: IncomingMessage,
  enter: () => void,
  refuse: (failure: Failure) => void,
): void =>
  turnstile.wait({
    enter,
    refuse: (failure) => refuse(socket.destroyed ? clientGone() : failure),
    hasLeft: () => socket.destroyed,
  });

const withinLimit = (body: Uint8Array | Failure, limit: number): Uint8Array | Failure =>
  body instanceof Uint8Array && body.byteLength > limit ? bodyTooLarge(limit) : body;

/** `hasRoom` says whether the storage can take a large write now. */
export function createUploads(hasRoom: () => boolean): Uploads {
  const unfinished = createHolding(MAX_UNFINISHED_BYTES);
  const blocks = createBlocks();
  // Each request is released, because each is answered; a weak map would cost the garbage collector time.
  const waitingBytes = new Map<IncomingMessage, number>();
  let allWaitingBytes = 0;
  // One begins in each turn: only when its bytes have arrived do they count as read ahead.
  const toRead = createTurnstile(() => hasRoom() && allWaitingBytes < READ_AHEAD_BYTES, createPace(0));
  const work = createPace();
  const toStore = createTurnstile(hasRoom, work);
  const toWork = createTurnstile(() => true, work);

  function collect(request: IncomingMessage, limit: number, take: Take): void {
    // Undefined when the body is complete or given up. The listeners then do nothing: to remove them takes longer.
    let body: Collected | undefined = new Collected(blocks);
    const finish = (result: Uint8Array | Failure): void => {
      body?.drop();
      body = undefined;
      unfinished.remove(held);
      take(result);
    };
    const held = { since: performance.now(), drop: () => finish(crowdedOut()) };
    request.on("data", (piece: Uint8Array) => {
      if (body === undefined) return;
      body.add(piece);
      if (body.length > limit) finish(bodyTooLarge(limit));
      // Node goes on parsing what has arrived, so that even an answer would cost more than such a client is worth.
      else if (areTiny(body.pieces, body.length)) request.destroy();
      else if (body.length !== announcedBytes(request)) unfinished.hold(held, body.length);
    });
    request.on("end", () => {
      if (body !== undefined) finish(body.take());
    });
    request.on("close", () => {
      if (body !== undefined) finish(clientGone());
    });
  }

  /** Keeps count of a whole body until its request is answered. Bodies that take long to parse wait for their turn. */
  function keep(request: IncomingMessage, body: Uint8Array, isLarge: boolean, take: Take): void {
    if (allWaitingBytes + body.byteLength > MAX_WAITING_BYTES) {
      take(crowdedOut());
      return;
    }
    waitingBytes.set(request, body.byteLength);
    allWaitingBytes += body.byteLength;
    const enter = (): void => take(body);
    if (isLarge || body.byteLength > LARGE_BYTES) waitFor(toStore, request, enter, take);
    else if (body.byteLength >= MIN_BYTES_IN_TURN) waitFor(toWork, request, enter, take);
    else enter();
  }

  function readInTurn(request: IncomingMessage, limit: number, take: Take, invite: () => void): void {
    const isLarge = limit > LARGE_BYTES && (announcedBytes(request) > LARGE_BYTES || isCompressed(request));
    const begin = (): void => {
      invite();
      collect(request, limit, (body) => {
        if (body instanceof Failure) take(body);
        else keep(request, body, isLarge, take);
      });
    };
    if (isLarge) waitFor(toRead, request, begin, take);
    else begin();
  }

  return {
    read(request, limit, take, invite) {
      if (!hasBody(request)) take(NO_BODY);
      else if (wasReadBefore(request)) take(withinLimit(bodyReadBefore(request), limit));
      else if (announcedBytes(request) > limit) take(bodyTooLarge(limit));
      else readInTurn(request, limit, take, invite);
    },

    inTurn: (request, act) => waitFor(toWork, request, () => act(undefined), act),

    release(request) {
      const bytes = waitingBytes.get(request);
      if (bytes === undefined) return;
      allWaitingBytes -= bytes;
      waitingBytes.delete(request);
    },
  };
}
