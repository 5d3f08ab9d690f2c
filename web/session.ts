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
  const [last, known] = store.get<[number, string]>(SESSION) ?? [0, ""];
  const now = Date.now();
  const id = now - last < IDLE ? known : uuid();
  store.set(SESSION, [now, id]);
  return id;
}
