import type { IncomingMessage, ServerResponse } from "node:http";

/** The host and port of the settings. */
export interface ListenSettings {
  readonly host: string;
  readonly port: number;
}

/** Who asks, which a `Request` does not tell. */
export interface Caller {
  /**
   * The caller's address, from the host server. Without it no caller counts as local, so that a server without keys refuses
   * everybody, and all callers share one rate limit.
   */
  readonly address?: string | undefined;
}

export type Fetch = (request: Request, caller?: Caller) => Promise<Response>;

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

/** Opens the analytics server inside a Node server of yours, which passes on the requests that it owns. */
export declare function mountAnalytics(
  variables?: NodeJS.ProcessEnv,
  options?: MountOptions,
): Promise<MountedAnalytics>;

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  /** No keys are set: the server answers everybody on this machine. */
  readonly isOpen: boolean;
  /** Accepts no more requests, finishes those in flight, and closes the storage. */
  stop(): Promise<void>;
}

/** Starts the analytics server on a plain Node HTTP server, for production on one host. */
export declare function startServer(variables?: NodeJS.ProcessEnv): Promise<RunningServer>;
