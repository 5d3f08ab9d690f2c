import Sqlite from "better-sqlite3";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";

export type EventRow = [
  string,
  string | null,
  string | null,
  string | null,
  string,
  number,
  Uint8Array | null,
];

/** Creates a database with our tables and indexes, and prepares a plain insert into events. */
export async function eventsTable(path: string) {
  await openSqlite(path).close();
  const db = new Sqlite(path);
  db.pragma("journal_mode = wal");
  db.pragma("synchronous = full");
  db.pragma("wal_autocheckpoint = 8000");
  const insert = db.prepare<EventRow>(
    `insert into events(event_type, user_id, session_id, properties, created_at, occurred_at, message_id)
     values (?, ?, ?, ?, ?, ?, ?)`,
  );
  return { db, insert };
}

export function rowOf(text: string, now: number): EventRow {
  const { event_type, user_id, session_id, properties, message_id } = JSON.parse(text);
  const key = message_id === undefined ? null : Buffer.from(message_id.replaceAll("-", ""), "hex");
  const createdAt = new Date(now).toISOString().replace("T", " ").slice(0, -1);
  return [event_type, user_id, session_id, JSON.stringify(properties), createdAt, now, key];
}
