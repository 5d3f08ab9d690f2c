import type { Analytics, Options } from "./analytics.js";

export type { Analytics, Json, Options, Properties } from "./analytics.js";

export interface NodeOptions extends Options {
  /** Where the server is. */
  readonly url: string;
}

export interface NodeClient {
  /** The four calls on behalf of a user, and of a session where you have one. */
  forUser(user_id: string, session_id?: string): Analytics;
  /**
   * Sends what there is, again and again where it must, and says whether everything was taken before the time was up:
   * 5,000 milliseconds by default. It is called when the process has nothing left to do; before `process.exit()`, call
   * it yourself.
   */
  flush(milliseconds?: number): Promise<boolean>;
}

/** Starts a client for a backend. What it has not sent it keeps in memory. */
export declare function createClient(options: NodeOptions): NodeClient;
