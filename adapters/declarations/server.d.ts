import type { IncomingMessage, ServerResponse } from "node:http";

/** Where the environment variables say to listen. */
export interface ListenSettings {
  readonly host: string;
  readonly port: number;
}

/** The analytics server without a socket of its own. */
export interface MountedAnalytics {
  /** Whether a request's path is one that this server answers: give it those, and keep the others. */
  owns(request: IncomingMessage): boolean;
  listener(request: IncomingMessage, response: ServerResponse): void;
  readonly settings: ListenSettings;
  close(): Promise<void>;
}

export interface MountOptions {
  /** A path such as `/analytics` at which the dashboard is served, and the browser client at `/client.js`. Default: neither. */
  readonly dashboard?: string;
}

/** Opens the analytics server for a Node server that exists already, and that passes on the requests it owns. */
export declare function mountAnalytics(
  variables?: NodeJS.ProcessEnv,
  options?: MountOptions,
): Promise<MountedAnalytics>;

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  /** No keys are set: the server answers everybody on this machine. */
  readonly isOpen: boolean;
  /** Takes no more, finishes what it has, and closes the storage. */
  stop(): Promise<void>;
}

/** Starts the analytics server on a plain Node HTTP server: what one host needs in production. */
export declare function startServer(variables?: NodeJS.ProcessEnv): Promise<RunningServer>;
