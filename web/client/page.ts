import { later } from "./later.ts";
import { ADOPTED_AFTER } from "./queue.ts";
import type { Sender } from "./sender.ts";
import type { Store } from "./store.ts";

/** A fifth of what an origin may keep in localStorage. */
export const MAX_QUEUE = 1_000_000;

/** A part of `navigator` that TypeScript does not know yet. */
export type Visitor = { readonly globalPrivacyControl?: boolean };

/** The entry that an opt-out leaves in the store. */
export const OPTED_OUT = "analytics.off";

/** Whether the visitor has opted out, here or by Global Privacy Control. */
export const refusesTracking = (store: Store): boolean =>
  (navigator as Visitor).globalPrivacyControl || (store.get<boolean>(OPTED_OUT) ?? false);

/**
 * Runs one sender at a time, of all tabs. Pages without TLS have no locks: two tabs may then send the same item, and the
 * server stores it once.
 */
export const inOneTab = (act: () => Promise<boolean>): Promise<boolean> =>
  navigator.locks?.request("analytics", act).catch(act) ?? act();

/** Sends what waits when the page is left, when the browser is online again, and what earlier pages have left. */
export function followPage(sender: Sender, addressOf: (path: string) => string): void {
  const leave = () => sender.leave((path, body) => navigator.sendBeacon?.(addressOf(path), body));
  addEventListener("pagehide", leave);
  addEventListener("visibilitychange", leave);
  addEventListener("online", sender.flush);
  later(sender.flush, ADOPTED_AFTER);
}
