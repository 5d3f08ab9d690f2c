import type { Analytics, Options } from "./analytics.js";

export type { Analytics, Json, Options, Properties } from "./analytics.js";

/** What the client tracks by itself. Each is false by default. */
export interface PageOptions {
  /** Views of pages as `page_view`: the first one, and each change of the path by a script or by going back. */
  readonly pageViews?: boolean | undefined;
  /** Clicks on links to other sites as `outbound_link`. */
  readonly outboundLinks?: boolean | undefined;
  /** Clicks on links to files as `download`. */
  readonly downloads?: boolean | undefined;
}

export interface ClientOptions extends Options, PageOptions {
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
