import type { Analytics } from "./declarations/analytics.d.ts";
import type { PageOptions } from "./declarations/client.d.ts";
import type { Report } from "./reports.ts";

/** Tracks what the options ask for, and reports those that do not exist. */
export type FollowPages = (track: Analytics["track"], options: PageOptions, report: Report) => void;

// A router changes the address before the title, and may go on to another address at once.
const SETTLED_AFTER = 100;

const FILE = /\.(pdf|csv|(doc|xls|ppt)x?|zip|dmg|exe|mp[34])$/i;

/** Tracks the views of pages, also where a script changes the address, and the clicks on links that are asked for. */
export const followPages: FollowPages = (
  track,
  { pageViews, outboundLinks, downloads, ...unknown },
  report,
) => {
  for (const name in unknown) report(`no option ${name}`);
  let seen: string | undefined;

  /** Tracks a view of the page at this address, once it is shown, unless it is the one that was seen last. */
  // biome-ignore lint/complexity/noExcessiveCognitiveComplexity: each function of its own costs every page bytes.
  function view(): void {
    const { pathname: path, search, host } = location;
    if (path === seen || document.hidden) return;
    const width = screen.width;
    const page: Record<string, string | undefined> = {
      path,
      title: document.title,
      language: navigator.language,
      screen: width < 768 ? "small" : width < 1280 ? "medium" : "large",
    };
    // The browser's referrer stays the same when a script changes the address.
    const referrer = document.referrer.split("/")[2];
    if (!seen && referrer !== host) page.referrer = referrer;
    for (const [name, value] of new URLSearchParams(search)) if (/^utm_/.test(name)) page[name] = value;
    track("page_view", page);
    seen = path;
  }

  const viewSoon = (): void => void setTimeout(view, SETTLED_AFTER);

  if (pageViews) {
    for (const name of ["pushState", "replaceState"] as const) {
      const change = history[name];
      history[name] = (...entry) => {
        change.apply(history, entry);
        viewSoon();
      };
    }
    addEventListener("popstate", viewSoon);
    addEventListener("visibilitychange", viewSoon);
    view();
  }

  addEventListener(
    "click",
    ({ target }) => {
      const link = (target as Element).closest?.<HTMLAnchorElement>("a[href]");
      // An address without a host is none of the web.
      if (!link?.host) return;
      const event = { url: link.origin + link.pathname };
      if (downloads && FILE.test(link.pathname)) track("download", event);
      else if (outboundLinks && link.host !== location.host) track("outbound_link", event);
    },
    true,
  );
};
