import type { FollowPages } from "./page-views.ts";

/** Loads the code that follows a page from a file of its own, so that only pages that ask for it pay for it. */
export const followPages: FollowPages = (track, options, report) =>
  import("./page-views.ts").then(
    (code) => code.followPages(track, options, report),
    (error) => report(`${error}`),
  );
