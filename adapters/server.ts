import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createFetch, type Fetch } from "./http/fetch.ts";
import { createListener } from "./http/listener.ts";
import { createPlainServer } from "./http/plain-server.ts";
import { parseTarget } from "./http/requests/request-target.ts";
import { listen, urlOf } from "./listening.ts";
import { openAnalytics } from "./main.ts";
import { type Settings, UnusableSettings } from "./settings.ts";

const SHUTDOWN_PATIENCE_MS = 10_000;

/** The host and port of the settings. */
export type ListenSettings = Pick<Settings, "host" | "port">;

/** The analytics server inside another server. */
export interface MountedAnalytics {
  /** Whether a request is for the analytics server. Pass those to `listener` or `fetch`, and answer the others. */
  owns(request: { readonly url?: string | undefined }): boolean;
  listener(request: IncomingMessage, response: ServerResponse): void;
  /** The same server for a host that speaks `Request` and `Response`, such as Hono or Next. */
  readonly fetch: Fetch;
  readonly settings: ListenSettings;
  close(): Promise<void>;
}

export interface MountOptions {
  /** A path such as `/analytics` at which the dashboard is served, and the browser client at `/client.js`. Default: neither. */
  readonly dashboard?: string;
}

function checkDashboard(path: string): void {
  if (/^\/(?:[\w.~-]+(?:\/[\w.~-]+)*)?$/.test(path)) return;
  throw new UnusableSettings(`dashboard must be a path such as "/analytics", not ${JSON.stringify(path)}`);
}

/** Opens the analytics server inside a Node server of yours, which passes on the requests that it owns. */
export async function mountAnalytics(
  variables: NodeJS.ProcessEnv = process.env,
  { dashboard }: MountOptions = {},
): Promise<MountedAnalytics> {
  if (dashboard !== undefined) checkDashboard(dashboard);
  const { edge, hasRoom, settings, owns, close } = await openAnalytics(variables, { dashboard });
  if (settings.keys === undefined) {
    process.stderr.write("Analytics Server is open to everybody on this machine: no keys are set.\n");
  }
  return {
    owns: ({ url = "/" }) => owns(parseTarget(url).path),
    listener: createListener(edge, { hasRoom }),
    fetch: createFetch(edge),
    settings: { host: settings.host, port: settings.port },
    close,
  };
}

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  /** No keys are set: the server answers everybody on this machine. */
  readonly isOpen: boolean;
  /** Accepts no more requests, finishes those in flight, and closes the storage. */
  stop(): Promise<void>;
}

function closing(server: Server): Promise<void> {
  const patience = setTimeout(() => server.closeAllConnections(), SHUTDOWN_PATIENCE_MS);
  return new Promise((resolve) => {
    server.close(() => {
      clearTimeout(patience);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Starts the analytics server on a plain Node HTTP server, for production on one host. */
export async function startServer(variables: NodeJS.ProcessEnv = process.env): Promise<RunningServer> {
  const { edge, hasRoom, settings, close } = await openAnalytics(variables, { dashboard: "/" });
  let stopping = false;
  const server = createPlainServer(edge, { hasRoom, isStopping: () => stopping });
  const port = await listen(server, settings.host, settings.port);
  return {
    url: urlOf(settings.host, port),
    isOpen: settings.keys === undefined,
    stop: async () => {
      stopping = true;
      await closing(server);
      await close();
    },
  };
}
