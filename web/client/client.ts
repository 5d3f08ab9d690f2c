import { createAnalytics } from "./analytics.ts";
import { createAssignments } from "./assignments.ts";
import type { Analytics } from "./declarations/analytics.d.ts";
import type { ClientOptions } from "./declarations/client.d.ts";
import { idOf } from "./limits.ts";
import { followPage, inOneTab, MAX_QUEUE, type Visitor } from "./page.ts";
import { addresses, createPost, MAX_LEAVING_ITEMS } from "./post.ts";
import { createQueue } from "./queue.ts";
import { createReport } from "./reports.ts";
import { createSender } from "./sender.ts";
import { keptId } from "./session.ts";
import { SILENCE } from "./silence.ts";
import { createStore } from "./store.ts";

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
  const user = known ?? keptId(store, "user");
  const post = createPost(addressOf);
  const assignments = createAssignments(user, store, post, timeout);
  // The queue may hold values of earlier users of this browser, such as the visitor before they logged in.
  const assignmentsOf = (id: string) => (id === user ? assignments : createAssignments(id, store, post));
  const sender = createSender(createQueue(store, MAX_QUEUE), post, assignmentsOf, {
    maxLength: MAX_LEAVING_ITEMS,
    lock: inOneTab,
    report,
  });
  followPage(sender, addressOf);
  return createAnalytics(user, () => keptId(store, "session"), assignments, sender.add);
}
