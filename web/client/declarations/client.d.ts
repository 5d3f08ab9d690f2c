import type { Analytics, Options } from "./analytics.js";

export type { Analytics, Json, Options, Properties } from "./analytics.js";

export interface ClientOptions extends Options {
  /** Where the server is; by default where this module was loaded from. Needed where a bundler has moved the module. */
  readonly url?: string | undefined;
  /** Whom you know the visitor as; by default an anonymous id that this browser keeps. */
  readonly user_id?: string | undefined;
}

/** Starts the client of a page; nothing is sent and nothing kept where the visitor has set Global Privacy Control. */
export declare function createClient(options?: ClientOptions): Analytics;
