import { createClient } from "./client.ts";
import type { Analytics } from "./declarations/analytics.d.ts";

declare global {
  /** The client that the script's tag has made. */
  var analytics: Analytics;
}

// The attributes of the tag: `data-page-views` is `pageViews`.
const { src, dataset } = document.currentScript as HTMLScriptElement;
const { url = src, key, userId: user_id, ...switches } = dataset;

globalThis.analytics = createClient({
  url,
  key,
  user_id,
  ...Object.fromEntries(Object.keys(switches).map((name) => [name, true])),
});
