import type { NewEvent } from "../../../domain/events/event.ts";
import { type EventValue, eventValue } from "../../../domain/events/event-metric.ts";
import { type MetricDefinition, readMetrics } from "../../../domain/experiments/metric-declaration.ts";
import type { Query } from "../client.ts";
import { endOf } from "./expressions.ts";

/** The metrics of all experiments at one revision of them, as storing values needs them. */
export interface Definitions {
  readonly revision: number;
  /** When experiments with declared metrics end by themselves. */
  readonly ends: ReadonlyMap<number, number>;
  /** The declared metrics, of experiments that have any. */
  readonly metrics: ReadonlyMap<number, readonly MetricDefinition[]>;
  /** The running experiments' metrics that are made of events, by the type of those. */
  readonly watches: ReadonlyMap<string, readonly Watch[]>;
}

export interface Watch {
  readonly test_id: number;
  readonly metric: MetricDefinition;
}

const SELECT = `
  select revision, coalesce((
    select json_agg(json_build_object('test_id', test_id, 'status', status, 'metrics', metrics,
      'ends_at', ${endOf("s")}))
    from ab_settings s where metrics <> '[]'), '[]') as settings
  from ab_revision`;

interface SettingsRow {
  readonly test_id: number;
  readonly status: string;
  readonly ends_at: number | null;
  readonly metrics: string;
}

interface DefinitionsRow {
  readonly revision: number;
  readonly settings: readonly SettingsRow[];
}

export async function readDefinitions(query: Query): Promise<Definitions> {
  const [row] = await query<DefinitionsRow>(SELECT);
  const parsed = (row?.settings ?? []).map((one) => ({ ...one, metrics: readMetrics(one.metrics) }));
  return {
    revision: row?.revision ?? 0,
    ends: new Map(parsed.flatMap(({ test_id, ends_at }) => (ends_at === null ? [] : [[test_id, ends_at]]))),
    metrics: new Map(parsed.map(({ test_id, metrics }) => [test_id, metrics])),
    watches: watchesOf(parsed.filter(({ status }) => status === "running" || status === "paused")),
  };
}

/** The metrics that are made of events, by the type of those. */
export function watchesOf(
  experiments: readonly { readonly test_id: number; readonly metrics: readonly MetricDefinition[] }[],
): ReadonlyMap<string, readonly Watch[]> {
  const byType = new Map<string, Watch[]>();
  for (const { test_id, metrics } of experiments) {
    for (const metric of metrics) {
      if (metric.event_type === undefined) continue;
      byType.set(metric.event_type, [...(byType.get(metric.event_type) ?? []), { test_id, metric }]);
    }
  }
  return byType;
}

const AFTER_STOP = { kind: "dropped", reason: "after_stop" } as const;

/** A value of a metric if its user is in the experiment, or what should be one and is not. */
export interface WatchedEvent {
  readonly event_id: number;
  readonly test_id: number;
  readonly user_id: string;
  readonly metric_name: string;
  readonly occurred_at: number;
  /** The latest time at which it can have happened by its sender's clock. */
  readonly latest_at: number;
  readonly found: EventValue | typeof AFTER_STOP;
}

type StoredEvent = Pick<
  NewEvent,
  "event_type" | "user_id" | "properties" | "created_at" | "occurred_at" | "latest_at"
> & { readonly id: number };

/** The values that an event is, or should be. */
export function watchedEvents(
  { watches, ends }: Pick<Definitions, "watches" | "ends">,
  event: StoredEvent,
): WatchedEvent[] {
  const { id, user_id, properties, occurred_at, latest_at = occurred_at } = event;
  const watching = user_id === null ? undefined : watches.get(event.event_type);
  if (user_id === null || watching === undefined) return [];
  const parsed = properties === null ? {} : JSON.parse(properties);
  return watching.flatMap(({ test_id, metric }) => {
    const value = eventValue(metric, parsed);
    if (value === undefined) return [];
    const found = event.created_at > (ends.get(test_id) ?? event.created_at) ? AFTER_STOP : value;
    return [
      { event_id: id, test_id, user_id, metric_name: metric.metric_name, occurred_at, latest_at, found },
    ];
  });
}
