import type { Store } from "./store.ts";
import { uuid } from "./uuid.ts";

const SESSION_IDLE = 30 * 60_000;

/**
 * A random id that this browser keeps: of the visitor, which means nothing anywhere else, or of their visit, in all tabs,
 * which ends after half an hour in which nothing happens.
 */
export function keptId(store: Store, name: "user" | "session"): string {
  const key = `analytics.${name}`;
  const known = store.get<{ id: string; last: number }>(key);
  const last = Date.now();
  const id = known && (name === "user" || last - known.last < SESSION_IDLE) ? known.id : uuid();
  store.set(key, { id, last });
  return id;
}
