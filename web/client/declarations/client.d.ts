import type { Analytics, Options } from "./analytics.js";

export type { Analytics, Json, Options, Properties } from "./analytics.js";

export interface ClientOptions extends Options {
  /** The server's address; by default where this module was loaded from. Needed where a bundler has moved the module. */
  readonly url?: string | undefined;
  /**
   * Your id of the visitor, 1 to 200 characters or an integer; by default an anonymous id that this browser keeps. Any
   * other id is refused, and the visitor stays anonymous.
   */
  readonly user_id?: string | number | null | undefined;
}

/** Creates the client of a page. Where the visitor has set Global Privacy Control, it sends and keeps nothing. */
export declare function createClient(options?: ClientOptions): Analytics;
