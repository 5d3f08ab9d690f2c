import { createServer, type Server, type ServerOptions } from "node:http";
import type { Edge } from "./edge.ts";
import { createListener, type ListenerOptions } from "./listener.ts";
import { refuseInProblems } from "./socket/refusals.ts";

const OPTIONS: ServerOptions = {
  // A client that sends its headers or body slower than this is let go.
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  // Longer than the minute that load balancers keep idle connections, so that none sends into one that is closing.
  keepAliveTimeout: 65_000,
  noDelay: true,
  // The edge refuses a request without Host, in its own words.
  requireHostHeader: false,
};

/** Node's HTTP server for the edge alone, which answers everything as the edge does. It does not listen yet. */
export function createPlainServer(
  edge: Edge,
  options: Omit<ListenerOptions, "invites"> = {},
  overrides: ServerOptions = {},
): Server {
  const listener = createListener(edge, { ...options, invites: true });
  const server = createServer({ ...OPTIONS, ...overrides }, listener);
  server.on("checkContinue", listener);
  refuseInProblems(server);
  return server;
}
