import type { Analytics, Properties } from "./analytics.js";
import type { ClientOptions } from "./client.js";

export type { Analytics, ClientOptions, Json, Options, Properties } from "./client.js";

/** The client of a page whose visitors log in, or may refuse to be tracked. */
export interface VisitorAnalytics extends Analytics {
  /**
   * Says who the visitor is, once they have logged in: call it on each page while they are. It links the visitor's anonymous
   * id to this id, so that both are one person, and everything afterwards is sent with this id. Their variants stay.
   *
   * @param user_id 1 to 200 characters, or an integer. Any other id is refused, and nothing changes.
   * @example analytics.identify("user123");
   */
  identify(user_id: string | number): void;

  /** Starts a new anonymous visitor and a new session, and forgets registered properties. Call it at logout. */
  reset(): void;

  /**
   * Adds properties to every event from now on, until the page is left or `reset` is called. An event's own property of
   * the same name wins.
   *
   * @example analytics.register({ plan: "pro" });
   */
  register(properties: Properties): void;

  /** Stops sending on all pages, and removes what the browser keeps, also what is not sent yet, until `optIn` is called. */
  optOut(): void;

  /** Ends `optOut`: the visitor begins as a new anonymous one. Global Privacy Control still applies. */
  optIn(): void;
}

/** Creates the client of a page. Where the visitor has set Global Privacy Control, it sends and keeps nothing. */
export declare function createClient(options?: ClientOptions): VisitorAnalytics;
