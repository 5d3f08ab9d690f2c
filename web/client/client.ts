import { createAnalytics } from "./analytics.ts";
import { createAssignments } from "./assignments.ts";
import type { Analytics } from "./declarations/analytics.d.ts";
import type { ClientOptions } from "./declarations/client.d.ts";
import { idOf } from "./limits.ts";
import { addresses, createPost, MAX_LEAVING_ITEMS } from "./post.ts";
import { ADOPTED_AFTER, createQueue } from "./queue.ts";
import { createReport } from "./reports.ts";
import { createSender } from "./sender.ts";
import { anonymousId, sessionId } from "./session.ts";
import { SILENCE } from "./silence.ts";
import { createStore } from "./store.ts";
import { later } from "./timer.ts";

// A fifth of what an origin may keep in localStorage.
const MAX_QUEUE = 1_000_000;

/** A part of `navigator` that TypeScript does not know yet. */
type Visitor = { readonly globalPrivacyControl?: boolean };

/** Creates the client of a page. Where the visitor has set Global Privacy Control, it sends and keeps nothing. */
export function createClient({
  url = import.meta.url,
  key,
  user_id,
  timeout,
  onRefused: report = createReport(),
  ...unknown
}: ClientOptions = {}): Analytics {
  const store = createStore(() => localStorage);
  const addressOf = addresses(url, key);
  if ((navigator as Visitor).globalPrivacyControl) {
    store.keys("analytics.").forEach(store.remove);
    return SILENCE;
  }
  for (const name in unknown) report(`no option ${name}`);
  if (!addressOf) {
    report(`no url ${url}`);
    return SILENCE;
  }
  const known = idOf(user_id);
  if (!known && user_id != null) report("no user_id of 1 to 200 characters");
  const user = known ?? anonymousId(store);
  const post = createPost(addressOf);
  const assignments = createAssignments(user, store, post, timeout);
  // The queue may hold values of earlier users of this browser, such as the visitor before they logged in.
  const assignmentsOf = (id: string) => (id === user ? assignments : createAssignments(id, store, post));
  const sender = createSender(createQueue(store, MAX_QUEUE), post, assignmentsOf, {
    maxLength: MAX_LEAVING_ITEMS,
    // Pages without TLS have no locks. Two tabs may then send the same item, and the server stores it once.
    lock: (act) => navigator.locks?.request("analytics", act).catch(act) ?? act(),
    report,
  });

  const leave = () => sender.leave((path, body) => navigator.sendBeacon?.(addressOf(path), body));
  addEventListener("pagehide", leave);
  addEventListener("visibilitychange", leave);
  addEventListener("online", sender.flush);
  // Sends what earlier pages have left.
  later(sender.flush, ADOPTED_AFTER);

  return createAnalytics(user, () => sessionId(store), assignments, sender.add);
}
