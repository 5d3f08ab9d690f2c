import type { NewEvent } from "../../domain/events/event.ts";
import { eventValue } from "../../domain/events/event-metric.ts";
import type { MetricDefinition } from "../../domain/experiments/experiment.ts";
import type { Database } from "./database.ts";

interface Watch {
  readonly test_id: number;
  readonly metric: MetricDefinition;
}

/** The running experiments' metrics that are made of events, as they were at a revision of the experiments. */
export interface Watches {
  readonly revision: number;
  readonly byType: ReadonlyMap<string, readonly Watch[]>;
}

const SELECT = `
  select revision, coalesce((
    select json_agg(json_build_object('test_id', test_id, 'metrics', metrics))
    from ab_settings where status = 'running' and metrics like '%"event_type"%'), '[]') as settings
  from ab_revision`;

interface WatchRow {
  readonly revision: number;
  readonly settings: readonly { test_id: number; metrics: string }[];
}

export async function readWatches({ query }: Database): Promise<Watches> {
  const [row] = await query<WatchRow>(SELECT);
  const byType = new Map<string, Watch[]>();
  for (const { test_id, metrics } of row?.settings ?? []) {
    for (const metric of JSON.parse(metrics) as MetricDefinition[]) {
      if (metric.event_type === undefined) continue;
      byType.set(metric.event_type, [...(byType.get(metric.event_type) ?? []), { test_id, metric }]);
    }
  }
  return { revision: row?.revision ?? 0, byType };
}

/** A value that an event is, if its user is in the experiment. */
export interface EventValue {
  readonly event_id: number;
  readonly test_id: number;
  readonly user_id: string;
  readonly metric_name: string;
  readonly value: number;
  readonly occurred_at: number;
  readonly latest_at: number;
}

export function valuesOf(watches: Watches, event: NewEvent & { readonly id: number }): EventValue[] {
  const { id, user_id, properties, occurred_at, latest_at = occurred_at } = event;
  const watching = user_id === null ? undefined : watches.byType.get(event.event_type);
  if (user_id === null || watching === undefined) return [];
  const parsed = properties === null ? {} : JSON.parse(properties);
  return watching.flatMap(({ test_id, metric }) => {
    const value = eventValue(metric, parsed);
    if (value === undefined) return [];
    const { metric_name } = metric;
    return [{ event_id: id, test_id, user_id, metric_name, value, occurred_at, latest_at }];
  });
}
