import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** The behaviour of the front: it passes requests on, or shows one of the troubles of a network. */
type Trouble =
  | "none"
  /** It answers 503 with `Retry-After: 1`. */
  | "busy"
  /** It closes the connection. */
  | "away"
  /** The server gets the request and stores its items; its answer is lost. */
  | "mute"
  /** Requests wait until there is no trouble any more. */
  | "slow"
  /** It redirects to the server with a 301, which turns a POST into a GET. */
  | "moved"
  /** It answers with this status and an HTML page, as a proxy does. */
  | number;

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly at: number;
}

type Finish = (act: () => Promise<void>) => void;

async function listen(
  onTestFinished: Finish,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<number> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

const CORS = { "access-control-allow-origin": "*", "access-control-expose-headers": "retry-after" };

/** A proxy in front of the server at `url`, until the test is over. It records every request to the API. */
export async function testFront(onTestFinished: Finish, url: string) {
  const seen: Seen[] = [];
  const front = { url: "", seen, trouble: "none" as Trouble };
  const waiting: (() => void)[] = [];

  function forward(asked: IncomingMessage, body: string, response: ServerResponse): void {
    const { method, url: path, headers } = asked;
    const { host: _, ...others } = headers;
    // The trouble at the time of the request: the test may end it before the server's answer is here.
    const mute = front.trouble === "mute";
    const onward = request(url + path, { method, headers: others, agent: false }, (answer) => {
      if (mute) {
        answer.resume().once("end", () => response.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.once("error", () => response.destroy());
    onward.end(body);
  }

  async function answer(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url: path = "" } = asked;
    const body = await text(asked);
    if (/^\/(?:apiv1|ofrep)\//.test(path)) seen.push({ method, path, body, at: Date.now() });
    if (front.trouble === "slow") await new Promise<void>((resolve) => waiting.push(resolve));
    if (front.trouble === "away") response.destroy();
    else if (front.trouble === "busy") {
      response.writeHead(503, { ...CORS, "retry-after": "1" });
      response.end();
    } else if (front.trouble === "moved") {
      response.writeHead(301, { ...CORS, location: url + path });
      response.end();
    } else if (typeof front.trouble === "number") {
      response.writeHead(front.trouble, { ...CORS, "content-type": "text/html" });
      response.end("<h1>A page of a proxy</h1>");
    } else forward(asked, body, response);
  }

  const port = await listen(onTestFinished, (asked, response) => {
    answer(asked, response).catch(() => response.destroy());
  });
  return Object.assign(front, {
    url: `http://127.0.0.1:${port}`,
    /** Ends the trouble, also for requests that wait. */
    clear() {
      front.trouble = "none";
      for (const go of waiting.splice(0)) go();
    },
  });
}

/** Serves one page until the test is over, from its own origin and site. */
export async function testPage(onTestFinished: Finish, html: string): Promise<string> {
  const port = await listen(onTestFinished, (_asked, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end(html);
  });
  return `http://localhost:${port}/`;
}
