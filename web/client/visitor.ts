import { createAnalytics } from "./analytics.ts";
import { type Assignments, createAssignments, VARIANTS } from "./assignments.ts";
import type { Analytics } from "./declarations/analytics.d.ts";
import type { ClientOptions } from "./declarations/client.d.ts";
import type { VisitorAnalytics } from "./declarations/visitor.d.ts";
import { userIdOf } from "./limits.ts";
import { createLink } from "./link.ts";
import { followPages } from "./load-page-views.ts";
import { followPage, inOneTab, MAX_QUEUE, OPTED_OUT, type Visitor } from "./page.ts";
import { addresses, createPost, MAX_LEAVING_ITEMS, type Post } from "./post.ts";
import { createQueue, type NewItem } from "./queue.ts";
import { createReport } from "./reports.ts";
import { createSender } from "./sender.ts";
import { keptId } from "./session.ts";
import { SILENCE } from "./silence.ts";
import { createStore, type Store } from "./store.ts";

const nothing = (): void => {};
const SILENT: VisitorAnalytics = {
  ...SILENCE,
  identify: nothing,
  reset: nothing,
  register: nothing,
  optOut: nothing,
  optIn: nothing,
};

/** Creates the client of a page. Where the visitor has set Global Privacy Control, it sends and keeps nothing. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: short closures over the visitor, who may change at any time.
export function createClient({
  url = import.meta.url,
  key,
  user_id,
  timeout,
  onRefused: report = createReport(),
  ...pageOptions
}: ClientOptions = {}): VisitorAnalytics {
  const disk = createStore(() => localStorage);
  const addressOf = addresses(url, key);
  const forget = (): void => disk.keys("analytics.").forEach(disk.remove);
  if ((navigator as Visitor).globalPrivacyControl) {
    forget();
    return SILENT;
  }
  if (!addressOf) {
    report(`no url ${url}`);
    return SILENT;
  }

  let isOff = disk.get<boolean>(OPTED_OUT) ?? false;
  // An answer may arrive after the visitor has opted out.
  const store: Store = { ...disk, set: (name, value) => isOff || disk.set(name, value) };
  let user: string;
  let assignments: Assignments;
  let calls: Analytics;
  let registered: object = {};

  const send = createPost(addressOf);
  const link = createLink(store, send, report);

  /** Sends nothing before the link: the server would give a user without it a variant of their own. */
  const post: Post = async (path, body) => {
    const reply = !isOff && (await link.deliver()) && (await send(path, body));
    return !isOff && reply ? reply : [{}, ""];
  };

  // The queue may hold values of earlier users of this browser, such as the visitor before they logged in.
  const assignmentsOf = (id: string) => (id === user ? assignments : createAssignments(id, store, post));
  const sender = createSender(createQueue(store, MAX_QUEUE), post, assignmentsOf, {
    length: MAX_LEAVING_ITEMS,
    lock: inOneTab,
    report,
  });
  followPage(sender, addressOf);

  const add = ({ properties, ...item }: NewItem): void =>
    sender.add(
      item.event_type === undefined
        ? item
        : { ...item, properties: { ...registered, ...Object(properties) } },
    );

  function become(id: string): void {
    user = id;
    assignments = createAssignments(id, store, post, timeout);
    calls = createAnalytics(id, () => keptId(store, "session"), assignments, add);
  }

  const beginAnonymously = (): void => become(keptId(store, "user"));

  function optOut(): void {
    isOff = true;
    forget();
    disk.set(OPTED_OUT, true);
  }

  const given = userIdOf(user_id, report);
  if (isOff) optOut();
  else if (given === undefined) beginAnonymously();
  else become(given);

  const track: Analytics["track"] = (...event) => isOff || calls.track(...event);
  if (Object.keys(pageOptions).length) followPages(track, pageOptions, report);

  return {
    track,
    trackMetric: (...value) => isOff || calls.trackMetric(...value),
    assign: async (test) => (isOff ? null : calls.assign(test)),
    assignments: async () => (isOff ? {} : calls.assignments()),

    identify(id) {
      const known = userIdOf(id, report);
      if (isOff || known === undefined) return;
      link.set({ anonymous_id: keptId(store, "user"), user_id: known });
      // Shown until the server answers, and while it is away.
      const variants = store.get(VARIANTS + user);
      if (variants !== undefined && store.get(VARIANTS + known) === undefined)
        store.set(VARIANTS + known, variants);
      become(known);
      void link.deliver();
    },

    reset() {
      if (isOff) return;
      for (const name of ["user", "session"]) store.remove(`analytics.${name}`);
      store.keys(VARIANTS).forEach(store.remove);
      link.forget();
      registered = {};
      beginAnonymously();
    },

    register(properties) {
      registered = { ...registered, ...properties };
    },

    optOut,

    optIn() {
      if (!isOff) return;
      isOff = false;
      store.remove(OPTED_OUT);
      beginAnonymously();
    },
  };
}
