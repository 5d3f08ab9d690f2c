import { ExperimentStatus } from "../../domain/experiments/experiment.ts";
import { isOpen } from "../../domain/experiments/lifecycle.ts";
import type { NewMetric } from "../../domain/experiments/metric.ts";
import type { AppendedMetric, ForEach, MetricStore } from "../../domain/storage.ts";
import type { Database } from "./database.ts";
import { isKept } from "./deletions.ts";
import { createIds } from "./ids.ts";
import { keepLooks } from "./looks.ts";
import { anySlice, countValues, dayOf, epochOf, readDays, readTally, timeOf } from "./tallies.ts";

interface Value extends NewMetric {
  readonly test_id: number;
  readonly id: number;
}

// A tester's value is kept, but is nobody's in the experiment; after the end nothing counts any more.
const INSERT = `
  with proposed as (
    select p.*, coalesce(a.variant_id, f.variant_id) as variant_id, ${epochOf("a.assigned_at")} as assigned_at
    from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::numeric[], $6::bigint[], $7::bigint[],
      $8::bigint[], $9::bytea[]) with ordinality
      as p(id, test_id, user_id, metric_name, value, created_at, occurred_at, latest_at, message_id, turn)
    left join ab_assignments a on a.user_id = p.user_id and a.test_id = p.test_id
    left join ab_forced f on f.test_id = p.test_id and f.user_id = p.user_id
    where coalesce(a.variant_id, f.variant_id) is not null and ${isKept("p.test_id")}
  ),
  once as (
    insert into ab_metric_messages(message_id, test_id, metric_id, variant_id)
    select message_id, test_id, id, variant_id from proposed where message_id is not null
    order by message_id, test_id, turn
    on conflict (message_id, test_id) do nothing
    returning metric_id
  ),
  stored as (
    insert into ab_metrics(id, test_id, variant_id, metric_name, value, created_at, user_id, occurred_at, message_id)
    select id, test_id, variant_id, metric_name, value, ${timeOf("created_at")}, user_id, occurred_at, message_id
    from proposed where message_id is null or id in (select metric_id from once)
    on conflict (id) do nothing
    returning id
  ),
  tracked as (
    select p.turn, p.test_id, p.variant_id, p.user_id, p.metric_name, p.value,
      ${dayOf("case when p.latest_at >= p.assigned_at then greatest(p.occurred_at, p.assigned_at) else p.occurred_at end")}
        as day,
      p.latest_at >= p.assigned_at as counted
    from proposed p join stored using (id) left join ab_settings s on s.test_id = p.test_id
    where p.assigned_at is not null and coalesce(s.status, 'running') = any($10::text[])
  ),
  ${countValues("$11")}
  select id, variant_id, id in (select id from stored) as stored from proposed`;

const FIND_MESSAGES = `
  select message_id, test_id, metric_id, variant_id from ab_metric_messages
  where (message_id, test_id) in (select * from unnest($1::bytea[], $2::bigint[]))`;

interface MessageRow {
  readonly message_id: Uint8Array;
  readonly test_id: number;
  readonly metric_id: number;
  readonly variant_id: number;
}

const OPEN = ExperimentStatus.options.filter(isOpen);

const textOf = (test_id: number, key: Uint8Array): string => `${test_id} ${Buffer.from(key).toString("hex")}`;

interface Inserted {
  readonly id: number;
  readonly variant_id: number;
  readonly stored: boolean;
}

function appendedOf(
  { id, test_id, message_key }: Value,
  row: Inserted | undefined,
  messages: ReadonlyMap<string, MessageRow>,
): AppendedMetric {
  if (row === undefined) return { kind: "not_assigned" };
  // Without a key only its own id can have refused it: the statement ran twice, and had stored it.
  const first = row.stored || message_key === null ? undefined : messages.get(textOf(test_id, message_key));
  if (first === undefined || first.metric_id === id) {
    return { kind: "stored", id, variant_id: row.variant_id, duplicate: false };
  }
  return { kind: "stored", id: first.metric_id, variant_id: first.variant_id, duplicate: true };
}

export function createMetricStore(database: Database): MetricStore {
  const ids = createIds(database, "metric_ids");

  const insert = (values: readonly Value[]) =>
    database.query<Inserted>(INSERT, [
      values.map(({ id }) => id),
      values.map(({ test_id }) => test_id),
      values.map(({ user_id }) => user_id),
      values.map(({ metric_name }) => metric_name),
      values.map(({ value }) => value),
      values.map(({ created_at }) => created_at),
      values.map(({ occurred_at }) => occurred_at),
      values.map(({ occurred_at, latest_at = occurred_at }) => latest_at),
      values.map(({ message_key }) => message_key && Buffer.from(message_key)),
      OPEN,
      anySlice(),
    ]);

  async function messagesOf(values: readonly Value[]): Promise<ReadonlyMap<string, MessageRow>> {
    const withKey = values.flatMap(({ test_id, message_key }) =>
      message_key ? [{ test_id, message_key }] : [],
    );
    if (withKey.length === 0) return new Map();
    const rows = await database.query<MessageRow>(FIND_MESSAGES, [
      withKey.map(({ message_key }) => Buffer.from(message_key)),
      withKey.map(({ test_id }) => test_id),
    ]);
    return new Map(rows.map((row) => [textOf(row.test_id, row.message_id), row]));
  }

  async function appendAll(metrics: readonly Omit<Value, "id">[]): Promise<AppendedMetric[]> {
    const fresh = await ids.take(metrics.length);
    const values = metrics.map((metric, index) => ({ ...metric, id: fresh[index] ?? 0 }));
    const assigned = new Map((await insert(values)).map((row) => [row.id, row]));
    const refused = values.filter(({ id }) => assigned.get(id)?.stored === false);
    const messages = await messagesOf(refused);
    return values.map((value) => appendedOf(value, assigned.get(value.id), messages));
  }

  const appending = database.grouped(appendAll);
  return {
    appendMetrics: async <const T extends readonly NewMetric[]>(test_id: number, metrics: T) => {
      const appended = await appending(metrics.map((metric) => ({ test_id, ...metric })));
      return appended as unknown as ForEach<T, AppendedMetric>;
    },
    tally: (testId) => readTally(database, testId),
    dailyTallies: (testId) => readDays(database, testId),
    keepLooks: (testId, looks) => keepLooks(database, testId, looks),
  };
}
