import { once } from "node:events";
import type { Server, ServerOptions } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { FAILURE_STATUS } from "../../../../adapters/http/answers/statuses.ts";
import type { Edge } from "../../../../adapters/http/edge.ts";
import type { ListenerOptions } from "../../../../adapters/http/listener.ts";
import { createPlainServer } from "../../../../adapters/http/plain-server.ts";
import { Failure } from "../../../../domain/failure.ts";

/** Starts an HTTP server with an edge, and closes it after the test. */
export async function start(
  edge: Edge,
  options: ListenerOptions = {},
  server: ServerOptions = {},
): Promise<{ url: string; server: Server }> {
  const started = createPlainServer(edge, options, server);
  started.listen(0, "127.0.0.1");
  await once(started, "listening");
  onTestFinished(() => {
    started.closeAllConnections();
    started.close();
  });
  return { url: `http://127.0.0.1:${(started.address() as AddressInfo).port}`, server: started };
}

/** Starts a server as `start` does, and returns its URL. */
export const serve = async (...parts: Parameters<typeof start>): Promise<string> =>
  (await start(...parts)).url;

export const MAX_BODY_BYTES = 5_000_000;

/** Answers with the length of the body, or with the code of the failure to read it. */
export const readsAll: Edge = (request, respond) =>
  request.read(MAX_BODY_BYTES, (body) =>
    body instanceof Failure
      ? respond({ status: FAILURE_STATUS[body.code], headers: {}, body: body.code })
      : respond({ status: 201, headers: {}, body: String(body.byteLength) }),
  );
