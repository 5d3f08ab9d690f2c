import type { IncomingMessage, ServerResponse } from "node:http";

/** The host and port of the settings. */
export interface ListenSettings {
  readonly host: string;
  readonly port: number;
}

/** The analytics server inside another server. */
export interface MountedAnalytics {
  /** Whether a request is for the analytics server. Pass those to `listener`, and answer the others. */
  owns(request: IncomingMessage): boolean;
  listener(request: IncomingMessage, response: ServerResponse): void;
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
