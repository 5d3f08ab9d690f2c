import type { Analytics, Options } from "./analytics.js";

export type { Analytics, Json, Options, Properties } from "./analytics.js";

export interface NodeOptions extends Options {
  /** The server's address, such as `https://analytics.example.com`. */
  readonly url: string;
}

export interface NodeClient {
  /**
   * The four calls on behalf of a user, and of a session where you have one. Ids have 1 to 200 characters, or are
   * integers. Any other user id is refused, and the calls then do nothing; any other session id is refused and left out.
   */
  forUser(user_id: string | number, session_id?: string | number | null): Analytics;
  /**
   * Says that two ids are one person, such as the id of a browser before a login and the user's own. Answers true once the
   * server has stored it; false where it refused it for good, or did not answer: calling again is safe. Wait for it before
   * you read a variant of the user.
   *
   * @example await analytics.alias(request.cookies.visitor, "user123");
   */
  alias(anonymous_id: string | number, user_id: string | number): Promise<boolean>;
  /**
   * Sends what is queued, and retries until the time is up: 5,000 milliseconds by default. Answers true only once the
   * server has stored everything or refused it for good. It runs by itself when the process has nothing left to do; call
   * it before `process.exit()`.
   */
  flush(milliseconds?: number): Promise<boolean>;
}

/** Creates a client for a backend. It keeps in memory what it has not sent. */
export declare function createClient(options: NodeOptions): NodeClient;
