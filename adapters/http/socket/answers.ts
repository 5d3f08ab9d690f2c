import type { IncomingMessage, ServerResponse } from "node:http";
import { type HttpResponse, isPieces } from "../message.ts";
import { createUnread, type Unread } from "./unread.ts";
import { announcedBytes, areTiny, hasBody } from "./uploads.ts";

/** How long, and how much, a client that was refused may go on sending, so that it reads the refusal. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 8 * 1024 * 1024;
/** A shorter body that was not read is read past, which costs less than a new connection. */
const READ_PAST_BYTES = 256 * 1024;

interface Answer {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly content: HttpResponse;
}

/** Whether the connection can go on: the body has arrived, or is so short that Node reads past it. */
const arrivedWhole = (request: IncomingMessage): boolean =>
  request.complete ||
  !hasBody(request) ||
  (announcedBytes(request) > 0 && announcedBytes(request) <= READ_PAST_BYTES);

/**
 * After an answer that did not wait for the body: discards what still arrives, and ends the connection afterwards. If
 * it were ended at once, with bytes unread, it would be reset, and the client could not read the answer.
 */
function discardRest(request: IncomingMessage, response: ServerResponse): void {
  let pieces = 0;
  let discarded = 0;
  const end = (): void => void response.end();
  const linger = setTimeout(end, LINGER_MS);
  request.once("end", end);
  request.once("close", () => clearTimeout(linger));
  request.on("data", (piece: Uint8Array) => {
    pieces += 1;
    discarded += piece.byteLength;
    if (discarded > LINGER_BYTES || areTiny(pieces, discarded)) request.destroy();
  });
  request.resume();
}

/** Sends pieces as fast as the client takes them. A client sees by the broken connection that some are missing. */
async function sendPieces(
  pieces: AsyncIterable<string>,
  response: ServerResponse,
  unread: Unread,
): Promise<void> {
  try {
    for await (const piece of pieces) {
      if (!response.write(piece)) await unread.taken(response);
      if (response.destroyed) return;
    }
    response.end();
    unread.watch(response);
  } catch {
    response.destroy();
  }
}

/** Headers as Node takes them with the least work: names and values in one list. */
function headerList(headers: HttpResponse["headers"], length: number | undefined, isLast: boolean): string[] {
  const list: string[] = [];
  for (const name in headers) list.push(name, headers[name] ?? "");
  if (length !== undefined) list.push("content-length", String(length));
  if (isLast) list.push("connection", "close");
  return list;
}

/**
 * Sends the answers of one turn of the event loop together. Sent one by one, they wake clients on the same machine one
 * by one, which costs more than making the answers. While `isStopping`, each answer is the last of its connection.
 */
export function createAnswers(isStopping: () => boolean) {
  const unread = createUnread();
  let answers: Answer[] = [];

  function send({ request, response, content: { status, headers, body } }: Answer): void {
    const goesOn = arrivedWhole(request);
    const isLast = !goesOn || isStopping();
    if (isPieces(body)) {
      response.writeHead(status, headerList(headers, undefined, isLast));
      void sendPieces(body, response, unread);
      return;
    }
    const hasNoLength = request.method === "HEAD" || status === 204 || status === 304;
    const length = hasNoLength ? undefined : Buffer.byteLength(body);
    response.writeHead(status, headerList(headers, length, isLast));
    if (goesOn) response.end(body);
    else response.write(body);
    unread.watch(response);
    if (!goesOn) discardRest(request, response);
  }

  function sendAll(): void {
    const ready = answers;
    answers = [];
    for (const answer of ready) {
      try {
        send(answer);
      } catch {
        // Headers that HTTP cannot carry, or a response that is broken already: the client sees a broken connection.
        answer.response.destroy();
      }
    }
  }

  return (answer: Answer): void => {
    if (answers.length === 0) setImmediate(sendAll);
    answers.push(answer);
  };
}
