import type { NewEvent } from "../../domain/events/event.ts";
import { eventValue } from "../../domain/events/event-metric.ts";
import { messageKey } from "../../domain/events/message-id.ts";
import type { Experiment } from "../../domain/experiments/experiment.ts";
import type { NewMetric } from "../../domain/experiments/metric.ts";
import type { MetricDefinition } from "../../domain/experiments/metric-declaration.ts";
import type { Assignment, Storage } from "../../domain/storage.ts";
import type { Instant } from "../../domain/time.ts";
import type { Progress } from "../commands/progress.ts";
import { calendarUntil } from "./calendar.ts";
import { type DemoTest, demoTests, variantAt } from "./experiments.ts";
import { demoEvents, type StorySize } from "./story.ts";

const EVENTS_AT_ONCE = 2_000;

interface StoredTest extends DemoTest {
  readonly stored: Experiment;
  /** When each user was assigned. */
  readonly users: Map<string, Instant>;
}

export interface Filled {
  readonly events: number;
  readonly users: number;
  readonly experiments: readonly Experiment[];
}

export async function isEmpty(storage: Storage): Promise<boolean> {
  const ever = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER };
  const events = await storage.listEvents({ ...ever, limit: 1, event_types: [], where: [] });
  const experiments = await storage.listExperiments({ limit: 1 });
  return events.length === 0 && experiments.length === 0;
}

/** Stores the story in an empty storage, in the order of its events. */
export async function fill(storage: Storage, size: StorySize, show: Progress): Promise<Filled> {
  const users = new Set<string>();
  const tests = await createTests(storage, size);
  let events = 0;
  for (const batch of batchesOf(demoEvents(size))) {
    for (const test of tests) await enrol(storage, test, batch);
    await storage.appendEvents(batch);
    for (const test of tests) await track(storage, test, batch);
    for (const { user_id } of batch) if (user_id !== null) users.add(user_id);
    events += batch.length;
    show(Math.min(events, size.events - 1));
  }
  show(size.events);
  return { events, users: users.size, experiments: tests.map(({ stored }) => stored) };
}

function* batchesOf(events: Iterable<NewEvent>): Generator<readonly NewEvent[]> {
  let batch: NewEvent[] = [];
  for (const event of events) {
    if (batch.push(event) < EVENTS_AT_ONCE) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function createTests(storage: Storage, { seed, now }: StorySize): Promise<StoredTest[]> {
  const tests: StoredTest[] = [];
  for (const test of Object.values(demoTests(seed, calendarUntil(now))) as DemoTest[]) {
    const stored = await storage.createExperiment(test.experiment);
    if (stored === undefined) throw new Error(`there is an experiment ${test.experiment.test_name} already`);
    tests.push({ ...test, stored, users: new Map() });
  }
  return tests;
}

/** The event's value of a metric; undefined where the metric is of other events. */
function valueIn(metric: MetricDefinition, { event_type, properties }: NewEvent): number | undefined {
  if (event_type !== metric.event_type) return undefined;
  const found = eventValue(metric, JSON.parse(properties ?? "{}"));
  return found?.kind === "value" ? found.value : undefined;
}

// Before the events are stored, because only events after a user's assignment are counted.
async function enrol(storage: Storage, test: StoredTest, batch: readonly NewEvent[]): Promise<void> {
  const candidates: Assignment[] = [];
  for (const event of batch) {
    const { user_id, occurred_at } = event;
    if (user_id === null || occurred_at < test.experiment.created_at || test.users.has(user_id)) continue;
    if (valueIn(test.exposure, event) === undefined) continue;
    test.users.set(user_id, occurred_at);
    const variant = test.stored.variants[variantAt(test.experiment, user_id) ?? 0];
    if (variant !== undefined) candidates.push({ user_id, variant_id: variant.id, assigned_at: occurred_at });
  }
  if (candidates.length > 0) await storage.assign(test.stored.id, candidates);
}

async function track(storage: Storage, test: StoredTest, batch: readonly NewEvent[]): Promise<void> {
  const values = batch.flatMap((event) => valuesOf(test, event));
  if (values.length > 0) await storage.appendMetrics(test.stored.id, values);
}

function valuesOf({ tracked, users }: StoredTest, event: NewEvent): NewMetric[] {
  const { user_id, created_at, occurred_at, message_key } = event;
  if (user_id === null || occurred_at < (users.get(user_id) ?? Number.POSITIVE_INFINITY)) return [];
  return tracked.flatMap((metric) => {
    const value = valueIn(metric, event);
    if (value === undefined) return [];
    const { metric_name } = metric;
    const key = messageKey(`${metric_name} of ${Buffer.from(message_key ?? []).toString("hex")}`);
    return [{ user_id, metric_name, value, created_at, occurred_at, message_key: key }];
  });
}
