import type { NewEvent } from "../../../domain/events/event.ts";
import { type EventValue, eventValue } from "../../../domain/events/event-metric.ts";
import type { Experiment } from "../../../domain/experiments/experiment.ts";
import { endOf } from "../../../domain/experiments/lifecycle.ts";
import type { NotCounted } from "../../../domain/experiments/user-total.ts";
import type { AssignmentFinder } from "./assignments.ts";
import type { Cells, Member } from "./cells.ts";
import type { ExperimentShelf, Watch } from "./experiments.ts";

/** Counts events as the values of experiments' metrics. */
export interface EventCounter {
  /** With `only` it changes the sums of that metric alone, which may be a ratio over the metric of the watch. */
  count(
    watch: Watch,
    user_id: string,
    event: Pick<NewEvent, "properties" | "created_at" | "occurred_at" | "latest_at">,
    only?: string | null,
  ): void;
}

export function createEventCounter(
  finder: AssignmentFinder,
  shelf: Pick<ExperimentShelf, "find">,
  cells: Cells,
): EventCounter {
  function countFound(
    experiment: Experiment,
    member: Member,
    found: FoundValue,
    only: string | null,
  ): NotCounted | undefined {
    const { value, created_at } = found;
    if (created_at > (endOf(experiment) ?? created_at)) return "after_stop";
    if (value.kind === "dropped") return value.reason;
    const counted = cells.countValue(experiment, member, { ...found, value: value.value }, only);
    return counted === "total_out_of_range" ? "out_of_range" : undefined;
  }

  return {
    count({ test_id, metric }, user_id, { properties, ...times }, only = null) {
      const member = finder.assigned(test_id, user_id);
      const experiment = member && shelf.find(test_id);
      if (member === undefined || experiment === undefined) return;
      const value = eventValue(metric, properties === null ? {} : JSON.parse(properties));
      if (value === undefined) return;
      const { metric_name } = metric;
      // The metric's own values are not in the raw values yet.
      const target = only === metric_name ? null : only;
      const found = { ...times, metric_name, value };
      const dropped = countFound(experiment, member, found, target);
      if (dropped !== undefined && target === null)
        cells.keepRaw(test_id, member, metric_name, null, dropped);
    },
  };
}

interface FoundValue extends Pick<NewEvent, "created_at" | "occurred_at" | "latest_at"> {
  readonly metric_name: string;
  readonly value: EventValue;
}
