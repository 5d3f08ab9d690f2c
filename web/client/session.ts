import type { Store } from "./store.ts";
import { uuid } from "./uuid.ts";

const SESSION_IDLE = 30 * 60_000;

/** The random id kept under a key, replaced after `idle` milliseconds without use. */
function keptId(store: Store, key: string, idle: number): string {
  const known = store.get<{ id: string; last: number }>(key);
  const now = Date.now();
  const id = known && now - known.last < idle ? known.id : uuid();
  store.set(key, { id, last: now });
  return id;
}

/** The visitor of this browser: an id that means nothing anywhere else. */
export const anonymousId = (store: Store): string => keptId(store, "analytics.user", 1 / 0);

/** The visit, in whichever tab: it ends after half an hour in which nothing happens. */
export const sessionId = (store: Store): string => keptId(store, "analytics.session", SESSION_IDLE);
