import type { Assignments } from "./assignments.ts";
import type { Analytics } from "./declarations/analytics.d.ts";
import type { NewItem } from "./queue.ts";

/** The four calls on behalf of a user. */
export function createAnalytics(
  user_id: string,
  session: () => string | undefined,
  { assign, assignments }: Assignments,
  add: (item: NewItem) => void,
): Analytics {
  return {
    track: (event_type, properties) => add({ user_id, session_id: session(), event_type, properties }),
    trackMetric: (test, metric_name, value = 1) => add({ user_id, test, metric_name, value }),
    assign,
    assignments,
  };
}
