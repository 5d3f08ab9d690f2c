import type { NewEvent } from "../../domain/events/event.ts";
import { eventValue } from "../../domain/events/event-metric.ts";
import type { AssignmentFinder } from "./assignments.ts";
import type { Cells } from "./cells.ts";
import type { ExperimentShelf, Watch } from "./experiments.ts";

/** Counts events as the values of experiments' metrics. */
export interface EventCounter {
  count(
    watch: Watch,
    user_id: string,
    event: Pick<NewEvent, "properties" | "occurred_at" | "latest_at">,
  ): void;
}

export function createEventCounter(
  finder: AssignmentFinder,
  shelf: Pick<ExperimentShelf, "find">,
  cells: Cells,
): EventCounter {
  return {
    count({ test_id, metric }, user_id, { properties, occurred_at, latest_at }) {
      const member = finder.assigned(test_id, user_id);
      const experiment = member && shelf.find(test_id);
      if (member === undefined || experiment === undefined) return;
      const found = eventValue(metric, properties === null ? {} : JSON.parse(properties));
      if (found === undefined) return;
      const { metric_name } = metric;
      if (found.kind === "dropped")
        cells.keepRaw(test_id, member.variant_id, metric_name, null, found.reason);
      else
        cells.countValue(experiment, member, {
          user_id,
          metric_name,
          value: found.value,
          occurred_at,
          latest_at,
        });
    },
  };
}
