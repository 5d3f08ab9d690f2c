import type { IncomingMessage, ServerResponse } from "node:http";

/** What the environment variables said; the README lists them. */
export interface Settings {
  readonly database: string;
  readonly databaseCa?: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly keys:
    | {
        readonly write: readonly string[];
        readonly read: readonly string[];
        readonly admin: readonly string[];
      }
    | undefined;
  readonly corsOrigins: readonly string[];
  readonly rate: { readonly perSecond: number; readonly burst: number } | undefined;
  readonly reportMs: number;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}

/** The analytics server without a socket of its own. */
export interface MountedAnalytics {
  /** Whether a request's path is one that this server answers: give it those, and keep the others. */
  owns(request: IncomingMessage): boolean;
  listener(request: IncomingMessage, response: ServerResponse): Promise<void>;
  readonly settings: Settings;
  close(): Promise<void>;
}

/** Opens the analytics server for a Node server that exists already, on whose port it then answers. */
export declare function mountAnalytics(variables?: NodeJS.ProcessEnv): Promise<MountedAnalytics>;

/** A server that listens, and how to end it. */
export interface RunningServer {
  readonly url: string;
  /** Takes no more, finishes what it has, and closes the storage. */
  stop(): Promise<void>;
}

/** Starts the analytics server on a plain Node HTTP server: what one host needs in production. */
export declare function startServer(variables?: NodeJS.ProcessEnv): Promise<RunningServer>;
