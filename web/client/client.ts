import { createAnalytics } from "./analytics.ts";
import { createAssignments } from "./assignments.ts";
import type { Analytics } from "./declarations/analytics.d.ts";
import type { ClientOptions } from "./declarations/client.d.ts";
import { addresses, createPost, MAX_LEAVING_ITEMS } from "./post.ts";
import { ADOPTED_AFTER, createQueue } from "./queue.ts";
import { createSender } from "./sender.ts";
import { anonymousId, sessionId } from "./session.ts";
import { createStore } from "./store.ts";
import { later } from "./timer.ts";

// A fifth of what a page and all its libraries may keep.
const MAX_QUEUE = 1_000_000;

/** What TypeScript does not know of `navigator` yet. */
type Visitor = { readonly globalPrivacyControl?: boolean };

/** The calls of a visitor who does not want to be followed. */
const SILENCE: Analytics = {
  track() {},
  trackMetric() {},
  assign: async () => null,
  assignments: async () => ({}),
};

/** Starts the client of a page; nothing is sent and nothing kept where the visitor has set Global Privacy Control. */
export function createClient({
  url = import.meta.url,
  key,
  user_id,
  timeout,
  onRefused: refused = () => {},
}: ClientOptions = {}): Analytics {
  const store = createStore(() => localStorage);
  if ((navigator as Visitor).globalPrivacyControl) {
    store.keys("analytics.").forEach(store.remove);
    return SILENCE;
  }
  user_id ??= anonymousId(store);
  const addressOf = addresses(url, key);
  const post = createPost(addressOf);
  const assignments = createAssignments(user_id, store, post, timeout);
  // Others may have left values behind, before the visitor was known: they stay theirs.
  const assignmentsOf = (id: string) => (id === user_id ? assignments : createAssignments(id, store, post));
  const sender = createSender(createQueue(store, MAX_QUEUE), post, assignmentsOf, {
    maxLength: MAX_LEAVING_ITEMS,
    // Only pages that came over TLS have locks. Without them two tabs may send the same, and the server keeps it once.
    lock: (act) => navigator.locks?.request("analytics", act).catch(act) ?? act(),
    refused,
  });

  const leave = () => sender.leave((path, body) => navigator.sendBeacon?.(addressOf(path), body));
  addEventListener("pagehide", leave);
  addEventListener("visibilitychange", () => document.hidden && leave());
  addEventListener("online", sender.flush);
  // What an earlier page has left behind.
  later(sender.flush, ADOPTED_AFTER);

  return createAnalytics(user_id, () => sessionId(store), assignments, sender.add);
}
