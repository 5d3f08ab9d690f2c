import type { Database, Statement } from "better-sqlite3";
import type { EmptiedRows, RemovedRows } from "../../rollups/removal/removed-rows.ts";
import {
  type Built,
  type DayKey,
  EMPTY_STATE,
  FORMAT,
  type HoursRow,
  newBuildNumber,
  type PartKey,
  type PostingsRow,
  type RollupRows,
  type TypeRow,
  type UserRow,
  type ValueHourKey,
  type ValueHoursRow,
  type ValueRow,
  type VisitorsRow,
} from "../../rollups/store.ts";
import { timeOf } from "../instants.ts";
import { createStateReader, isCurrent, type PropertyColumns, type StoredState } from "./rollup-store.ts";

/** The result of one build: rows to put, and repairs of events that another program has inserted. */
export interface BuildPlan extends Built {
  readonly through: number;
  readonly times: readonly EventTime[];
  /** Ids of events with bytes where text belongs. */
  readonly bytes: readonly number[];
}

interface Timeless {
  readonly id: number;
  readonly created_at: string | number | Uint8Array | null;
}

export interface EventTime {
  readonly id: number;
  readonly occurred_at: number;
}

const TABLES = [
  "event_users",
  "event_types",
  "event_properties",
  "event_values",
  "event_hours",
  "event_value_hours",
  "event_visitors",
  "event_postings",
] as const;

const putAll = <Row>(rows: Iterable<Row>, statement: Statement<Row[]>): void => {
  for (const row of rows) statement.run(row);
};

/** Puts rows, within the transaction of the caller. */
function createPut(db: Database): (rows: RollupRows) => void {
  const user = db.prepare<UserRow[]>("insert into event_users(user_id, number) values (@user_id, @number)");
  const type = db.prepare<TypeRow[]>(
    `insert or replace into event_types(id, event_type, count, first_seen, last_seen)
     values (@id, @event_type, @count, @first_seen, @last_seen)`,
  );
  const property = db.prepare<PropertyColumns[]>(
    `insert or replace into event_properties(id, type_id, name, strings, numbers, booleans, nulls, objects, arrays,
       distinct_values)
     values (@id, @type_id, @name, @string, @number, @boolean, @null, @object, @array, @distinct_values)`,
  );
  const value = db.prepare<ValueRow[]>(
    "insert into event_values(property_id, value, number) values (@property_id, @value, @number)",
  );
  const hours = db.prepare<HoursRow[]>(
    "insert or replace into event_hours(type_id, day, hours) values (@type_id, @day, @hours)",
  );
  const valueHours = db.prepare<ValueHoursRow[]>(
    `insert or replace into event_value_hours(property_id, hour, counts) values (@property_id, @hour, @counts)`,
  );
  const visitors = db.prepare<VisitorsRow[]>(
    `insert into event_visitors(type_id, hour, part, users) values (@type_id, @hour, @part, @users)
     on conflict(type_id, hour, part) do update set users = excluded.users`,
  );
  const postings = db.prepare<PostingsRow[]>(
    `insert into event_postings(type_id, hour, part, last_ms, last_id, entries)
     values (@type_id, @hour, @part, @last_ms, @last_id, @entries)
     on conflict(type_id, hour, part) do update set last_ms = excluded.last_ms, last_id = excluded.last_id,
       entries = excluded.entries`,
  );
  const deleteValues = db.prepare<number[]>("delete from event_values where property_id = ?");
  const deleteValueHours = db.prepare<number[]>("delete from event_value_hours where property_id = ?");

  return (rows) => {
    putAll(rows.users, user);
    putAll(rows.types, type);
    putAll(
      rows.properties.map(({ value_types, ...row }) => ({ ...row, ...value_types })),
      property,
    );
    putAll(rows.values, value);
    putAll(rows.hours, hours);
    putAll(rows.valueHours, valueHours);
    putAll(rows.visitors, visitors);
    putAll(rows.postings, postings);
    putAll(rows.uncountedProperties, deleteValues);
    putAll(rows.uncountedProperties, deleteValueHours);
  };
}

/** Deletes rows that a removal has emptied, within the transaction of the caller. */
function createDelete(db: Database): (rows: EmptiedRows) => void {
  const type = db.prepare<number[]>("delete from event_types where id = ?");
  const property = db.prepare<number[]>("delete from event_properties where id = ?");
  const values = db.prepare<number[]>("delete from event_values where property_id = ?");
  const hours = db.prepare<DayKey[]>("delete from event_hours where type_id = @type_id and day = @day");
  const valueHours = db.prepare<ValueHourKey[]>(
    "delete from event_value_hours where property_id = @property_id and hour = @hour",
  );
  const visitors = db.prepare<PartKey[]>(
    "delete from event_visitors where type_id = @type_id and hour = @hour and part = @part",
  );
  const postings = db.prepare<PartKey[]>(
    "delete from event_postings where type_id = @type_id and hour = @hour and part = @part",
  );
  return (rows) => {
    putAll(rows.types, type);
    putAll(rows.properties, property);
    putAll(rows.properties, values);
    putAll(rows.hours, hours);
    putAll(rows.valueHours, valueHours);
    putAll(rows.visitors, visitors);
    putAll(rows.postings, postings);
  };
}

/** Writes rollups, always within the transaction of the caller. */
export function createRollupWriter(db: Database) {
  const state = createStateReader(db);
  const put = createPut(db);
  const remove = createDelete(db);
  const setState = db.prepare<StoredState>(
    `update event_rollup set format = @format, through = @through, build = @build, users = @users, types = @types,
       properties = @properties`,
  );
  const setTime = db.prepare<EventTime[]>(
    "update events set occurred_at = @occurred_at where id = @id and occurred_at is null",
  );
  const setText = db.prepare<number[]>(
    `update events set event_type = cast(event_type as text), user_id = cast(user_id as text),
       session_id = cast(session_id as text)
     where id = ?`,
  );
  const selectTimeless = db.prepare<[number], Timeless>(
    "select id, created_at from events where occurred_at is null limit ?",
  );
  const clears = TABLES.map((table) => db.prepare<[]>(`delete from ${table}`));

  return {
    state,

    /** Carries out a plan. One that was made from another state is void: another process has built the same events. */
    carryOut({ before, after, rows, through, times, bytes }: BuildPlan): void {
      const { build, format } = state();
      if (build !== before.build || !isCurrent({ format })) return;
      putAll(times, setTime);
      putAll(bytes, setText);
      put(rows);
      setState.run({ ...after, format, through });
    },

    /** Whether another program has stored events without their time, which no answer from events would find. */
    hasTimeless: (): boolean => selectTimeless.get(1) !== undefined,

    /** Gives events of other programs their time, at most this many. */
    setTimes(most: number): void {
      const rows = selectTimeless.all(most);
      putAll(
        rows.map(({ id, created_at }) => ({ id, occurred_at: timeOf(created_at) })),
        setTime,
      );
    },

    /** Takes removed events out of the rollups. Plans of builds that were made before are void from then on. */
    takeOut({ put: changed, emptied }: RemovedRows): void {
      put(changed);
      remove(emptied);
      setState.run({ ...state(), build: newBuildNumber() });
    },

    /** Makes the rollups those of no version, which nothing reads. */
    invalidate: () => void setState.run({ ...EMPTY_STATE, format: 0, through: 0 }),

    /**
     * Turns rollups of another version into empty ones of this, a table at a time; false once they are. To delete some rows
     * of a table at a time would write its pages to the log, which takes longer than to free them all.
     */
    clear(): boolean {
      // Another process may have done it meanwhile, and have begun to build.
      if (isCurrent(state())) return false;
      if (clears.some((clear) => clear.run().changes > 0)) return true;
      setState.run({ ...EMPTY_STATE, format: FORMAT, through: 0 });
      return false;
    },
  };
}
export type RollupWriter = ReturnType<typeof createRollupWriter>;
