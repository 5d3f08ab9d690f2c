import { createAnalytics } from "./analytics.ts";
import { createAssignments } from "./assignments.ts";
import type { Analytics } from "./declarations/analytics.d.ts";
import type { ClientOptions } from "./declarations/client.d.ts";
import { userIdOf } from "./limits.ts";
import { followPages } from "./load-page-views.ts";
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
  ...pageOptions
}: ClientOptions = {}): Analytics {
  const store = createStore(() => localStorage);
  const addressOf = addresses(url, key);
  if ((navigator as Visitor).globalPrivacyControl) {
    store.keys("analytics.").forEach(store.remove);
    return SILENCE;
  }
  if (!addressOf) {
    report(`no url ${url}`);
    return SILENCE;
  }
  const user = userIdOf(user_id, report) ?? keptId(store, "user");
  const post = createPost(addressOf);
  const assignments = createAssignments(user, store, post, timeout);
  // The queue may hold values of earlier users of this browser, such as the visitor before they logged in.
  const assignmentsOf = (id: string) => (id === user ? assignments : createAssignments(id, store, post));
  const sender = createSender(createQueue(store, MAX_QUEUE), post, assignmentsOf, {
    length: MAX_LEAVING_ITEMS,
    lock: inOneTab,
    report,
  });
  followPage(sender, addressOf);
  const analytics = createAnalytics(user, () => keptId(store, "session"), assignments, sender.add);
  if (Object.keys(pageOptions).length) followPages(analytics.track, pageOptions, report);
  return analytics;
}
