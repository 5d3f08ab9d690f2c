import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

interface Connection {
  last: ServerResponse;
  readonly waiting: [IncomingMessage, ServerResponse][];
  waitingBytes: number;
}

// An honest client waits for answers long before. Each waiting request costs memory before it is served.
const MAX_WAITING = 100;
const MAX_WAITING_BYTES = 64 * 1024;

const headBytes = ({ url = "", rawHeaders }: IncomingMessage): number =>
  rawHeaders.reduce((bytes, text) => bytes + text.length, url.length);

/**
 * Serves the requests of one connection one after the other: the next one when the client has taken the answer before.
 * So a client that sends thousands of requests at once takes no more than its share, and one that reads no answers
 * holds no more than one.
 */
export function oneAtATime(serve: Serve): Serve {
  const connections = new WeakMap<Socket, Connection>();

  function serveNext(connection: Connection): void {
    const [next] = connection.waiting.splice(0, 1);
    if (next === undefined || next[0].socket.destroyed) return;
    connection.last = next[1];
    connection.waitingBytes -= headBytes(next[0]);
    if (connection.waiting.length > 0) next[1].once("close", () => serveNext(connection));
    serve(...next);
  }

  function waitBehind(connection: Connection, request: IncomingMessage, response: ServerResponse): void {
    connection.waitingBytes += headBytes(request);
    if (connection.waiting.length >= MAX_WAITING || connection.waitingBytes > MAX_WAITING_BYTES) {
      request.socket.destroy();
      return;
    }
    connection.waiting.push([request, response]);
    if (connection.waiting.length === 1) connection.last.once("close", () => serveNext(connection));
  }

  return (request, response) => {
    const { socket } = request;
    const connection = connections.get(socket);
    if (connection !== undefined && (connection.waiting.length > 0 || !connection.last.writableFinished)) {
      waitBehind(connection, request, response);
      return;
    }
    if (connection === undefined) connections.set(socket, { last: response, waiting: [], waitingBytes: 0 });
    else connection.last = response;
    serve(request, response);
  };
}
