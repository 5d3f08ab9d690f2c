import { once } from "node:events";
import { createServer, type ServerOptions } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { Edge } from "../../../adapters/http/edge.ts";
import { clientError, createListener } from "../../../adapters/http/listener.ts";
import { openConnection, parseAnswers } from "../../end-to-end/client.ts";

/** A real server around an edge until the test is over; answers its address. */
async function serve(edge: Edge, options: ServerOptions = {}): Promise<string> {
  const server = createServer(options, createListener(edge));
  server.on("clientError", clientError);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const readsAll: Edge = async (request) => {
  const body = await request.read(1_000_000).catch(() => undefined);
  return { status: body === undefined ? 400 : 201, headers: {}, body: String(body?.byteLength) };
};

const IMPATIENT = { headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 20 };

test.each([
  ["headers", "POST /apiv1/events HTTP/1.1\r\nhost: localhost\r\n"],
  ["a body", "POST /apiv1/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"],
])("%s that arrive too slowly are answered with 408 and the code timeout", async (_name, text) => {
  const client = await openConnection(await serve(readsAll, IMPATIENT));
  client.send(text);
  const [answer] = parseAnswers(await client.rest());
  expect(answer).toMatchObject({
    status: 408,
    headers: { "content-type": "application/problem+json", connection: "close" },
  });
  expect(JSON.parse(answer?.body ?? "")).toStrictEqual({
    type: "about:blank",
    title: "The request took too long to arrive",
    status: 408,
    detail: "The request did not arrive in time; nothing was stored. Send it again.",
    code: "timeout",
    errors: [],
  });
});
