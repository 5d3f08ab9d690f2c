import type { Analytics } from "./declarations/analytics.d.ts";

/** The calls of a user who must not or cannot be tracked: they do nothing. */
export const SILENCE: Analytics = {
  track() {},
  trackMetric() {},
  assign: async () => null,
  assignments: async () => ({}),
};
