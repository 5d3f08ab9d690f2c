import type { Store } from "./store.ts";
import { uuid } from "./uuid.ts";

const USER = "analytics.user";
const SESSION = "analytics.session";
const IDLE = 30 * 60_000;

/** Who the visitor is, as far as this browser knows: an id that means nothing anywhere else. */
export function anonymousId(store: Store): string {
  const id = store.get<string>(USER) ?? uuid();
  store.set(USER, id);
  return id;
}

/** The visit that this belongs to, in whichever tab: it ends when nothing has happened for half an hour. */
export function sessionId(store: Store): string {
  const known = store.get<{ id: string; last: number }>(SESSION);
  const now = Date.now();
  const id = known && now - known.last < IDLE ? known.id : uuid();
  store.set(SESSION, { id, last: now });
  return id;
}
