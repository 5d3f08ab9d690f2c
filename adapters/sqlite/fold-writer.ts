import type { Database, Statement } from "better-sqlite3";
import { type FoldPlan, type FoldState, type FoldTable, isSameState, type SqlValue } from "./fold-plan.ts";

// In an order in which what is dropped stays dropped.
const STATEMENTS: Record<FoldTable, readonly string[]> = {
  times: ["update events set occurred_at = ? where id = ? and occurred_at is null"],
  bytes: [
    `update events set event_type = cast(event_type as text), user_id = cast(user_id as text),
       session_id = cast(session_id as text)
     where id = ?`,
  ],
  users: ["insert into event_users(user_id, number) values (?, ?)"],
  types: [
    "insert or replace into event_types(id, event_type, count, first_seen, last_seen) values (?, ?, ?, ?, ?)",
  ],
  properties: [
    `insert or replace into event_properties(id, type_id, name, strings, numbers, booleans, nulls, objects, arrays,
       kept_values)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ],
  values: ["insert into event_values(property_id, value, number) values (?, ?, ?)"],
  hours: ["insert or replace into event_hours(type_id, day, hours) values (?, ?, ?)"],
  valueHours: ["insert or replace into event_value_hours(property_id, hour, counts) values (?, ?, ?)"],
  visitors: [
    `insert into event_visitors(type_id, hour, part, users) values (?, ?, ?, ?)
     on conflict(type_id, hour, part) do update set users = excluded.users`,
  ],
  postings: [
    `insert into event_postings(type_id, hour, part, last_ms, last_id, entries) values (?, ?, ?, ?, ?, ?)
     on conflict(type_id, hour, part) do update set last_ms = excluded.last_ms, last_id = excluded.last_id,
       entries = excluded.entries`,
  ],
  dropped: [
    "delete from event_value_hours where property_id = ?",
    "delete from event_values where property_id = ?",
  ],
};

/** Forgets all that has been counted, so that it is counted anew. */
export function forgetCounts(db: Database): void {
  const tables = [
    "event_users",
    "event_types",
    "event_properties",
    "event_values",
    "event_hours",
    "event_value_hours",
    "event_visitors",
    "event_postings",
  ];
  const forget = db.transaction(() => {
    for (const table of tables) db.exec(`delete from ${table}`);
    db.exec("update event_fold set through = 0, plan = 0, users = 0, types = 0, properties = 0");
  });
  forget.immediate();
}

/** Carries out plans of counting. */
export function createFoldWriter(db: Database) {
  const selectState = db.prepare<[], FoldState>(
    "select through, plan, users, types, properties from event_fold",
  );
  const selectThrough = db.prepare<[], number>("select through from event_fold").pluck();
  const selectNewest = db.prepare<[], number>("select coalesce(max(id), 0) from events").pluck();
  const setState = db.prepare<FoldState>(
    `update event_fold
     set through = @through, plan = @plan, users = @users, types = @types, properties = @properties`,
  );
  const statements = Object.entries(STATEMENTS).map(
    ([table, texts]) => [table as FoldTable, texts.map((text) => db.prepare<SqlValue[]>(text))] as const,
  );

  function putAll(rows: readonly (readonly SqlValue[])[], all: readonly Statement<SqlValue[]>[]): void {
    for (const row of rows) for (const statement of all) statement.run(...row);
  }

  return {
    /**
     * Puts the rows of a plan, within the transaction of whoever calls. Somebody else may have counted the same events
     * since it was made: then it is void, and nothing happens.
     */
    carryOut({ before, after, rows }: FoldPlan): void {
      const state = selectState.get();
      if (state === undefined || !isSameState(state, before)) return;
      for (const [table, all] of statements) putAll(rows[table], all);
      setState.run(after);
    },

    /** The events up to this id have been counted. */
    through: (): number => selectThrough.get() ?? 0,

    /** The id of the newest event. */
    newest: (): number => selectNewest.get() ?? 0,
  };
}
export type FoldWriter = ReturnType<typeof createFoldWriter>;
