import type { NewEvent } from "../../domain/events/event.ts";
import type { AppendedEvent, EventStore, ForEach } from "../../domain/storage.ts";
import type { Database } from "./database.ts";
import { isMissingPartition } from "./failures.ts";
import { createIds } from "./ids.ts";
import { anySlice, countValues, dayOf, epochOf, timeOf } from "./tallies.ts";
import { type EventValue, readWatches, valuesOf, type Watches } from "./watches.ts";

interface Event extends NewEvent {
  readonly id: number;
}

// The hot path. Nothing is stored where an experiment has changed since its metrics were read: see Inserted.
const STORE = `
  with revised as (select revision from ab_revision),
  proposed as (
    select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
      $8::bigint[], $9::bytea[])
      as e(id, event_type, user_id, session_id, properties, created_at, occurred_at, client_timestamp, message_id)
    where (select revision from revised) = $10::bigint
  ),
  once as (
    insert into event_messages(message_id, event_id, created_at)
    select message_id, id, ${timeOf("created_at")} from proposed where message_id is not null
    order by message_id, id
    on conflict (message_id) do nothing
    returning event_id
  ),
  stored as (
    insert into events(id, event_type, user_id, session_id, properties, created_at, occurred_at, client_timestamp,
      message_id)
    select id, event_type, user_id, session_id, properties, ${timeOf("created_at")}, occurred_at, client_timestamp,
      message_id
    from proposed where message_id is null or id in (select event_id from once)
    on conflict (id) do nothing
    returning id
  )`;

const COUNT = `
  tracked as (
    select w.turn, w.test_id, a.variant_id, w.user_id, w.metric_name, w.value,
      ${dayOf(`greatest(w.occurred_at, ${epochOf("a.assigned_at")})`)} as day,
      true as counted
    from unnest($11::bigint[], $12::bigint[], $13::text[], $14::text[], $15::numeric[], $16::bigint[],
      $17::bigint[]) with ordinality
      as w(event_id, test_id, user_id, metric_name, value, occurred_at, latest_at, turn)
    join stored s on s.id = w.event_id
    join ab_assignments a on a.user_id = w.user_id and a.test_id = w.test_id
    where w.latest_at >= ${epochOf("a.assigned_at")}
  ),
  ${countValues("$18")}`;

const ANSWER = `
  select revision, array(select id from proposed where id not in (select id from stored)) as refused from revised`;

const INSERT = `${STORE} ${ANSWER}`;
const INSERT_AND_COUNT = `${STORE}, ${COUNT} ${ANSWER}`;

const FIND_MESSAGES = `
  select message_id, event_id, ${epochOf("created_at")} as created_at from event_messages
  where message_id = any($1::bytea[])`;

interface Inserted {
  /** Of the experiments: where it is another than was named, nothing was stored. */
  readonly revision: number;
  readonly refused: readonly string[];
}

interface MessageRow {
  readonly message_id: Uint8Array;
  readonly event_id: number;
  readonly created_at: number;
}

const columnsOf = (events: readonly Event[]): unknown[] => [
  events.map(({ id }) => id),
  events.map(({ event_type }) => event_type),
  events.map(({ user_id }) => user_id),
  events.map(({ session_id }) => session_id),
  events.map(({ properties }) => properties),
  events.map(({ created_at }) => created_at),
  events.map(({ occurred_at }) => occurred_at),
  events.map(({ client_timestamp }) => client_timestamp ?? null),
  events.map(({ message_key }) => message_key && Buffer.from(message_key)),
];

const valueColumns = (values: readonly EventValue[]): unknown[] => [
  values.map(({ event_id }) => event_id),
  values.map(({ test_id }) => test_id),
  values.map(({ user_id }) => user_id),
  values.map(({ metric_name }) => metric_name),
  values.map(({ value }) => value),
  values.map(({ occurred_at }) => occurred_at),
  values.map(({ latest_at }) => latest_at),
];

const hexOf = (key: Uint8Array): string => Buffer.from(key).toString("hex");

export function createEventStore(database: Database): EventStore {
  const ids = createIds(database, "event_ids");
  let watches: Watches | undefined;

  function insert(events: readonly Event[], known: Watches): Promise<Inserted[]> {
    const values = events.flatMap((event) => valuesOf(known, event));
    const stored = [...columnsOf(events), known.revision];
    if (values.length === 0) return database.query<Inserted>(INSERT, stored);
    return database.query<Inserted>(INSERT_AND_COUNT, [...stored, ...valueColumns(values), anySlice()]);
  }

  /** The ids of those that were not stored. */
  async function insertUpToDate(events: readonly Event[]): Promise<ReadonlySet<number>> {
    for (;;) {
      watches ??= await readWatches(database);
      const { revision } = watches;
      const [inserted] = await insert(events, watches);
      if (inserted?.revision === revision) return new Set(inserted.refused.map(Number));
      watches = undefined;
    }
  }

  async function firstOnes(events: readonly Event[]): Promise<ReadonlyMap<string, MessageRow>> {
    const keys = events.flatMap(({ message_key }) => (message_key ? [Buffer.from(message_key)] : []));
    const rows = keys.length === 0 ? [] : await database.query<MessageRow>(FIND_MESSAGES, [keys]);
    return new Map(rows.map((row) => [hexOf(row.message_id), row]));
  }

  async function numberedOf(events: readonly NewEvent[]): Promise<Event[]> {
    const fresh = await ids.take(events.length);
    return events.map((event, index) => ({ ...event, id: fresh[index] ?? 0 }));
  }

  /** A block of ids may be older than a partition that was detached meanwhile: then a new block is tried, once. */
  async function insertSomewhere(events: readonly NewEvent[]) {
    const numbered = await numberedOf(events);
    try {
      return { numbered, refused: await insertUpToDate(numbered) };
    } catch (error) {
      if (!isMissingPartition(error)) throw error;
      ids.drop();
      const renumbered = await numberedOf(events);
      return { numbered: renumbered, refused: await insertUpToDate(renumbered) };
    }
  }

  async function appendAll(events: readonly NewEvent[]): Promise<AppendedEvent[]> {
    const { numbered, refused } = await insertSomewhere(events);
    const first = await firstOnes(numbered.filter(({ id }) => refused.has(id)));
    return numbered.map(({ id, created_at, message_key }) => {
      const row = refused.has(id) && message_key !== null ? first.get(hexOf(message_key)) : undefined;
      // Refused by its own id: the statement ran twice, and had stored it.
      if (row === undefined || row.event_id === id) return { id, created_at, duplicate: false };
      return { id: row.event_id, created_at: row.created_at, duplicate: true };
    });
  }

  const appending = database.grouped(appendAll);
  return {
    appendEvents: async <const T extends readonly NewEvent[]>(events: T) =>
      (await appending(events)) as unknown as ForEach<T, AppendedEvent>,
  };
}
