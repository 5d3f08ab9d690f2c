import type { Database } from "better-sqlite3";
import type { NewEvent } from "../../domain/event.ts";
import type { AppendedEvent, EventStore, ForEach } from "../../domain/storage.ts";
import { isUniqueViolation } from "./failures.ts";
import { fromSql, toSql } from "./instants.ts";
import type { Writer } from "./writer.ts";

type EventRow = [string, string | null, string | null, string | null, string, number, Uint8Array | null];

export function createEventStore(db: Database, writer: Writer): EventStore {
  const insert = db.prepare<EventRow>(
    `insert into events(event_type, user_id, session_id, properties, created_at, occurred_at, message_id)
     values (?, ?, ?, ?, ?, ?, ?)`,
  );
  const selectByMessage = db.prepare<[Uint8Array], { id: number; created_at: string }>(
    "select id, created_at from events where message_id = ?",
  );

  function stored(key: Uint8Array): AppendedEvent {
    const row = selectByMessage.get(key);
    if (row === undefined) throw new Error("a message id was refused as a duplicate of none");
    return { id: row.id, created_at: fromSql(row.created_at), duplicate: true };
  }

  // Trying first spares the look-up of a duplicate, which is rare; a refused insert leaves no gap in the ids.
  function append(event: NewEvent): AppendedEvent {
    try {
      const { lastInsertRowid } = insert.run(
        event.event_type,
        event.user_id,
        event.session_id,
        event.properties,
        toSql(event.created_at),
        event.occurred_at,
        event.message_key,
      );
      return { id: Number(lastInsertRowid), created_at: event.created_at, duplicate: false };
    } catch (error) {
      if (event.message_key !== null && isUniqueViolation(error)) return stored(event.message_key);
      throw error;
    }
  }

  return {
    appendEvents: <const T extends readonly NewEvent[]>(events: T) =>
      writer.write(events.length, () => events.map(append) as unknown as ForEach<T, AppendedEvent>),
  };
}
