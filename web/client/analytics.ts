import type { Assignments } from "./assignments.ts";
import type { Analytics } from "./declarations/analytics.d.ts";
import type { Item } from "./queue.ts";
import { uuid } from "./uuid.ts";

interface Fields extends Pick<Item, "test"> {
  readonly [field: string]: unknown;
}

/** The four calls on behalf of a user. */
export function createAnalytics(
  user_id: string,
  session: () => string | undefined,
  assignments: Assignments,
  add: (item: Item) => void,
): Analytics {
  function record(fields: Fields, since = ""): void {
    const timestamp = Math.max(Date.now(), Date.parse(since) || 0);
    add({ message_id: uuid(), user_id, timestamp, ...fields });
  }

  return {
    track: (event_type, properties) => record({ session_id: session(), event_type, properties }),
    trackMetric: (test, metric_name, value = 1) =>
      // Who has a variant had it before this; only where our clock is behind the server's it seems otherwise.
      record({ test, metric_name, value }, assignments.find(test)?.assigned_at),
    assign: assignments.assign,
    assignments: assignments.assignments,
  };
}
