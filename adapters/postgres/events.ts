import type { NewEvent } from "../../domain/events/event.ts";
import { type AppendedEvent, answersFor, type EventStore } from "../../domain/storage.ts";
import type { Database } from "./database.ts";
import { contributionColumns } from "./experiments/contributions.ts";
import {
  type Definitions,
  readDefinitions,
  type WatchedEvent,
  watchedEvents,
} from "./experiments/definitions.ts";
import { anySlice, epochOf } from "./experiments/expressions.ts";
import { STORE_EVENTS, STORE_EVENTS_WITH_VALUES } from "./experiments/value-statements.ts";
import { isMissingPartition } from "./failures.ts";
import { createIds } from "./ids.ts";
import type { RollupBuild } from "./reports/rollup-build.ts";

interface Event extends NewEvent {
  readonly id: number;
}

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

/** The parameters of `watched` in value-statements.ts, which names each of them by its turn. */
export const watchedColumns = (values: readonly WatchedEvent[]): unknown[] => [
  values.map(({ event_id }) => event_id),
  values.map(({ test_id }) => test_id),
  values.map(({ user_id }) => user_id),
  values.map(({ metric_name }) => metric_name),
  values.map(({ found }) => (found.kind === "value" ? found.value : null)),
  values.map(({ occurred_at }) => occurred_at),
  values.map(({ latest_at }) => latest_at),
  values.map(({ found }) => (found.kind === "dropped" ? found.reason : null)),
];

const hexOf = (key: Uint8Array): string => Buffer.from(key).toString("hex");

export function createEventStore(database: Database, build: RollupBuild): EventStore {
  const ids = createIds(database, "event_ids");
  let definitions: Definitions | undefined;

  function insert(events: readonly Event[], known: Definitions): Promise<Inserted[]> {
    const values = events.flatMap((event) => watchedEvents(known, event));
    const stored = [...columnsOf(events), known.revision];
    if (values.length === 0) return database.query<Inserted>(STORE_EVENTS, stored);
    const named = values.map((value, index) => ({ ...value, value_id: index + 1 }));
    return database.query<Inserted>(STORE_EVENTS_WITH_VALUES, [
      ...stored,
      ...watchedColumns(values),
      anySlice(),
      ...contributionColumns(named, known.metrics),
    ]);
  }

  /** The ids of the events that were not stored. */
  async function insertUpToDate(events: readonly Event[]): Promise<ReadonlySet<number>> {
    for (;;) {
      definitions ??= await readDefinitions(database.query);
      const { revision } = definitions;
      const [inserted] = await insert(events, definitions);
      if (inserted?.revision === revision) return new Set(inserted.refused.map(Number));
      definitions = undefined;
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

  // A message id is a row of its own.
  const appending = database.grouped(appendAll, ({ message_key }) => (message_key === null ? 1 : 2));
  return {
    appendEvents: async <const T extends readonly NewEvent[]>(events: T) => {
      const appended = await appending(events);
      build.grow(events.length);
      return answersFor(events, appended);
    },
  };
}
