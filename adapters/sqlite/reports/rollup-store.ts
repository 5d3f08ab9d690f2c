import type { Database, Statement } from "better-sqlite3";
import type { ValueType } from "../../../domain/reports/catalogue.ts";
import type { RemovalStore } from "../../rollups/removal/removed-rows.ts";
import {
  type BuildStore,
  type DayKey,
  FORMAT,
  type HourKey,
  type HoursRow,
  PAGE_ROWS,
  type Page,
  type PageStart,
  type PartKey,
  type PostingsRow,
  type PropertyCount,
  type PropertyKey,
  type PropertyRow,
  type QuestionStore,
  type RollupState,
  type RollupStore,
  type TypeRow,
  type UserRow,
  type ValueHourKey,
  type ValueHoursRow,
  type ValueKey,
  type ValueRow,
  type VisitorsRow,
} from "../../rollups/store.ts";
import type { Work } from "../../rollups/work.ts";

// Rollups in tables of SQLite: see migrations.ts. Rows that another version wrote are not read: see `isCurrent`.

export interface StoredState extends RollupState {
  readonly format: number;
  /** The rollups contain the events up to this id. */
  readonly through: number;
}

export type PropertyColumns = Omit<PropertyRow, "value_types"> & Record<ValueType, number>;

const propertyOf = ({
  id,
  type_id,
  name,
  distinct_values,
  ...value_types
}: PropertyColumns): PropertyRow => ({
  id,
  type_id,
  name,
  distinct_values,
  value_types,
});

const PROPERTIES = `select id, type_id, name, strings as string, numbers as number, booleans as boolean, nulls as "null",
  objects as object, arrays as array, distinct_values from event_properties`;

const PAGE = `where type_id = @type_id and (hour, part) > (@after_hour, @after_part) and hour <= @last
  order by hour, part limit ${PAGE_ROWS}`;

interface PageValues {
  readonly type_id: number;
  readonly last: number;
  readonly after_hour: number;
  readonly after_part: number;
}

const pageOf = ({ type_id, last, after }: PageStart): PageValues => ({
  type_id,
  last,
  after_hour: after.hour,
  after_part: after.part,
});

/** The rows that a statement finds for each key. Each read is a point at which a report may be interrupted. */
export function* each<Key, Row>(keys: Iterable<Key>, statement: Statement<Key[], Row>): Work<Row[]> {
  yield;
  const rows: Row[] = [];
  for (const key of keys) {
    const row = statement.get(key);
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

export function* all<Values extends unknown[], Row>(
  statement: Statement<Values, Row>,
  ...values: Values
): Work<Row[]> {
  yield;
  return statement.all(...values);
}

function* page<Row extends PartKey>(
  statement: Statement<[PageValues], Row>,
  start: PageStart,
): Work<Page<Row>> {
  const rows = yield* all(statement, pageOf(start));
  return { rows, isLast: rows.length < PAGE_ROWS };
}

export function createStateReader(db: Database) {
  const select = db.prepare<[], StoredState>(
    "select format, through, build, users, types, properties from event_rollup",
  );
  return (): StoredState => {
    const state = select.get();
    if (state === undefined) throw new Error("the table event_rollup has lost its row");
    return state;
  };
}

/** Whether this version wrote the rollups, and may read them. */
export const isCurrent = ({ format }: Pick<StoredState, "format">): boolean => format === FORMAT;

function createCommonReads(
  db: Database,
): Pick<RollupStore, "users" | "types" | "properties" | "propertyCounts"> {
  const user = db.prepare<string[], UserRow>("select user_id, number from event_users where user_id = ?");
  const users = db.prepare<[], UserRow>("select user_id, number from event_users");
  const type = db.prepare<string[], TypeRow>(
    "select id, event_type, count, first_seen, last_seen from event_types where event_type = ?",
  );
  const types = db.prepare<[], TypeRow>(
    "select id, event_type, count, first_seen, last_seen from event_types",
  );
  const property = db.prepare<PropertyKey[], PropertyColumns>(
    `${PROPERTIES} where type_id = @type_id and name = @name`,
  );
  const properties = db.prepare<[], PropertyColumns>(PROPERTIES);
  const counts = db.prepare<number[], PropertyCount>(
    `select type_id, count(*) as named, count(distinct_values) as counted from event_properties
     where type_id = ? group by type_id`,
  );
  return {
    users: (ids) => (ids === undefined ? all(users) : each(ids, user)),
    types: (names) => (names === undefined ? all(types) : each(names, type)),
    *properties(keys) {
      const rows = keys === undefined ? yield* all(properties) : yield* each(keys, property);
      return rows.map(propertyOf);
    },
    propertyCounts: (ids) => each(ids, counts),
  };
}

function createBuildReads(db: Database): Omit<BuildStore, keyof ReturnType<typeof createCommonReads>> {
  const names = db.prepare<number[], PropertyKey>(
    "select type_id, name from event_properties where type_id = ?",
  );
  const value = db.prepare<ValueKey[], ValueRow>(
    "select property_id, value, number from event_values where property_id = @property_id and value = @value",
  );
  const hours = db.prepare<DayKey[], HoursRow>(
    "select type_id, day, hours from event_hours where type_id = @type_id and day = @day",
  );
  const valueHours = db.prepare<ValueHourKey[], ValueHoursRow>(
    `select property_id, hour, counts from event_value_hours
     where property_id = @property_id and hour = @hour`,
  );
  const lastVisitors = db.prepare<HourKey[], VisitorsRow>(
    `select type_id, hour, part, users from event_visitors
     where type_id = @type_id and hour = @hour order by part desc limit 1`,
  );
  const lastPostings = db.prepare<HourKey[], PostingsRow>(
    `select type_id, hour, part, last_ms, last_id, entries from event_postings
     where type_id = @type_id and hour = @hour order by part desc limit 1`,
  );
  return {
    *namesOf(ids) {
      yield;
      return ids.flatMap((id) => names.all(id));
    },
    values: (keys) => each(keys, value),
    hours: (keys) => each(keys, hours),
    valueHours: (keys) => each(keys, valueHours),
    lastVisitors: (keys) => each(keys, lastVisitors),
    lastPostings: (keys) => each(keys, lastPostings),
  };
}

function createQuestionReads(db: Database): Omit<QuestionStore, keyof ReturnType<typeof createCommonReads>> {
  const values = db.prepare<[number], ValueRow>(
    "select property_id, value, number from event_values where property_id = ?",
  );
  const hours = db.prepare<[number, number, number], HoursRow>(
    "select type_id, day, hours from event_hours where type_id = ? and day between ? and ?",
  );
  const valueHours = db.prepare<[number, number, number], ValueHoursRow>(
    "select property_id, hour, counts from event_value_hours where property_id = ? and hour between ? and ?",
  );
  const visitors = db.prepare<[PageValues], VisitorsRow>(
    `select type_id, hour, part, users from event_visitors ${PAGE}`,
  );
  const postings = db.prepare<[PageValues], PostingsRow>(
    `select type_id, hour, part, last_ms, last_id, entries from event_postings ${PAGE}`,
  );
  const postingsAt = db.prepare<[string, string], PostingsRow>(
    `select type_id, hour, part, last_ms, last_id, entries from event_postings
     where type_id in (select value from json_each(?)) and hour in (select value from json_each(?))`,
  );
  const latestHours = db
    .prepare<[number, number, number, number], number>(
      `select distinct hour from event_postings where type_id = ? and hour between ? and ?
       order by hour desc limit ?`,
    )
    .pluck();
  return {
    valuesOf: (propertyId) => all(values, propertyId),
    hoursBetween: (typeId, first, last) => all(hours, typeId, first, last),
    valueHoursBetween: (propertyId, { first, last }) => all(valueHours, propertyId, first, last),
    visitorsPage: (start) => page(visitors, start),
    postingsPage: (start) => page(postings, start),
    postingsAt: (typeIds, some) => all(postingsAt, JSON.stringify(typeIds), JSON.stringify(some)),
    *latestHours(typeIds, { first, last }, limit) {
      yield;
      const found = new Set(typeIds.flatMap((typeId) => latestHours.all(typeId, first, last, limit)));
      return [...found].sort((a, b) => b - a).slice(0, limit);
    },
  };
}

/** The store of removals. */
export function createRemovalStore(db: Database): RemovalStore {
  const visitorsAt = db.prepare<[string, string], VisitorsRow>(
    `select type_id, hour, part, users from event_visitors
     where type_id in (select value from json_each(?)) and hour in (select value from json_each(?))`,
  );
  const postingsWith = db.prepare<[string, string, Uint8Array], PostingsRow>(
    `select type_id, hour, part, last_ms, last_id, entries from event_postings
     where type_id in (select value from json_each(?)) and hour in (select value from json_each(?))
       and instr(entries, ?) > 0`,
  );
  return {
    ...createRollupStore(db),
    postingsWith: (typeIds, hours, bytes) =>
      all(postingsWith, JSON.stringify(typeIds), JSON.stringify(hours), bytes),
    visitorsAt: (typeIds, hours) => all(visitorsAt, JSON.stringify(typeIds), JSON.stringify(hours)),
  };
}

export const createRollupStore = (db: Database): RollupStore => ({
  ...createCommonReads(db),
  ...createBuildReads(db),
  ...createQuestionReads(db),
});
