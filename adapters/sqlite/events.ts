import type { Database } from "better-sqlite3";
import type { NewEvent } from "../../domain/events/event.ts";
import { type AppendedEvent, answersFor, type EventStore } from "../../domain/storage.ts";
import type { EventCounter } from "./experiments/event-counter.ts";
import type { ExperimentShelf, Watch } from "./experiments/experiments.ts";
import { isUniqueViolation } from "./failures.ts";
import { fromSql, toSql } from "./instants.ts";
import type { RollupBuild } from "./reports/rollup-build.ts";
import type { Writer } from "./writer.ts";

type EventRow = [
  event_type: string,
  user_id: string | null,
  session_id: string | null,
  properties: string | null,
  created_at: string,
  occurred_at: number,
  client_timestamp: number | null,
  message_id: Uint8Array | null,
];

export function createEventStore(
  db: Database,
  writer: Writer,
  shelf: ExperimentShelf,
  build: RollupBuild,
  counter: EventCounter,
): EventStore {
  const insert = db.prepare<EventRow>(
    `insert into events(event_type, user_id, session_id, properties, created_at, occurred_at,
       client_timestamp, message_id)
     values (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const selectByMessage = db.prepare<[Uint8Array], { id: number; created_at: string }>(
    "select id, created_at from events where message_id = ?",
  );
  const selectRemoved = db.prepare<[Uint8Array], { id: number; created_at: string }>(
    "select event_id as id, created_at from removed_messages where message_id = ?",
  );

  const hasRemoved = db.prepare<[], number>("select exists (select 1 from removed_messages)").pluck();

  function stored(key: Uint8Array): AppendedEvent {
    const row = selectByMessage.get(key);
    if (row === undefined) throw new Error("a message id was refused as a duplicate of none");
    return { id: row.id, created_at: fromSql(row.created_at), duplicate: true };
  }

  // Trying first spares the look-up of a duplicate, which is rare; a refused insert leaves no gap in the ids.
  function append(event: NewEvent, mayBeRemoved: boolean): AppendedEvent {
    const key = mayBeRemoved ? event.message_key : null;
    const removed = key === null ? undefined : selectRemoved.get(key);
    if (removed !== undefined) {
      return { id: removed.id, created_at: fromSql(removed.created_at), duplicate: true };
    }
    try {
      const { lastInsertRowid } = insert.run(
        event.event_type,
        event.user_id,
        event.session_id,
        event.properties,
        toSql(event.created_at),
        event.occurred_at,
        event.client_timestamp ?? null,
        event.message_key,
      );
      return { id: Number(lastInsertRowid), created_at: event.created_at, duplicate: false };
    } catch (error) {
      if (event.message_key !== null && isUniqueViolation(error)) return stored(event.message_key);
      throw error;
    }
  }

  function appendAndCount(
    event: NewEvent,
    watches: ReadonlyMap<string, readonly Watch[]>,
    mayBeRemoved: boolean,
  ): AppendedEvent {
    const appended = append(event, mayBeRemoved);
    if (event.user_id === null || appended.duplicate) return appended;
    for (const watch of watches.get(event.event_type) ?? []) counter.count(watch, event.user_id, event);
    return appended;
  }

  function appendAll(events: readonly NewEvent[]): AppendedEvent[] {
    const watches = shelf.watches();
    // A batch asks once whether any event was removed; a single event asks for its own message at the same cost.
    const mayBeRemoved = events.length === 1 || hasRemoved.get() === 1;
    return events.map((event) => appendAndCount(event, watches, mayBeRemoved));
  }

  return {
    appendEvents: <const T extends readonly NewEvent[]>(events: T) => {
      const stored = writer.write(events.length, () => answersFor(events, appendAll(events)));
      build.grow(events.length);
      return stored;
    },
  };
}
