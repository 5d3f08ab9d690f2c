import type { RemovedRows } from "../../rollups/removal/removed-rows.ts";
import {
  EMPTY_STATE,
  FORMAT,
  newBuildNumber,
  type RollupRows,
  type RollupState,
} from "../../rollups/store.ts";
import type { Query } from "../client.ts";
import { columnsOfProperty } from "./rollup-store.ts";
import {
  HOURS,
  POSTINGS,
  PROPERTIES,
  rowValues,
  TYPES,
  USERS,
  upsertOf,
  VALUE_HOURS,
  VALUES,
  VISITORS,
} from "./rollup-tables.ts";

export interface StoredState extends RollupState {
  readonly format: number;
  /**
   * Events with ids above `backfilled` up to `backfill_end` are added to the rollups by the backfill; all others by the
   * journal. At first these are the events that were stored before there was a journal.
   */
  readonly backfilled: number;
  readonly backfill_end: number;
}

export const SELECT_STATE =
  "select format, build, users, types, properties, backfilled, backfill_end from event_rollup";

const SET_STATE = `
  update event_rollup set format = $1, build = $2, users = $3, types = $4, properties = $5, backfilled = $6,
    backfill_end = $7`;

/** Whether this version wrote the rollups, and may read them. */
export const isCurrent = ({ format }: Pick<StoredState, "format">): boolean => format === FORMAT;

/** Whether the backfill has still to be done. */
export const isBehind = ({ backfilled, backfill_end }: StoredState): boolean => backfilled < backfill_end;

export async function setState(query: Query, state: StoredState): Promise<void> {
  const { format, build, users, types, properties, backfilled, backfill_end } = state;
  await query(SET_STATE, [format, build, users, types, properties, backfilled, backfill_end]);
}

const DELETE_VALUES = "delete from event_values where property_id = any($1::bigint[])";
const DELETE_VALUE_HOURS = "delete from event_value_hours where property_id = any($1::bigint[])";

/** Puts the rows of a build, within the transaction of the query. */
export async function putRows(query: Query, rows: RollupRows, build: number): Promise<void> {
  const put = async (statement: string, values: readonly unknown[], count: number): Promise<void> => {
    if (count > 0) await query(statement, values);
  };
  const properties = rows.properties.map(columnsOfProperty);
  const visitors = rows.visitors.map((row) => ({ ...row, build }));
  await put(upsertOf(USERS), rowValues(USERS, rows.users), rows.users.length);
  await put(upsertOf(TYPES), rowValues(TYPES, rows.types), rows.types.length);
  await put(upsertOf(PROPERTIES), rowValues(PROPERTIES, properties), properties.length);
  await put(upsertOf(VALUES), rowValues(VALUES, rows.values), rows.values.length);
  await put(upsertOf(HOURS), rowValues(HOURS, rows.hours), rows.hours.length);
  await put(upsertOf(VALUE_HOURS), rowValues(VALUE_HOURS, rows.valueHours), rows.valueHours.length);
  await put(upsertOf(VISITORS), rowValues(VISITORS, visitors), visitors.length);
  await put(upsertOf(POSTINGS), rowValues(POSTINGS, rows.postings), rows.postings.length);
  await put(DELETE_VALUES, [rows.uncountedProperties], rows.uncountedProperties.length);
  await put(DELETE_VALUE_HOURS, [rows.uncountedProperties], rows.uncountedProperties.length);
}

/** Deletes the rows with these keys, of bigint columns. */
async function deleteRows<Row>(
  query: Query,
  table: string,
  key: readonly (keyof Row & string)[],
  rows: readonly Row[],
): Promise<void> {
  if (rows.length === 0) return;
  const given = key.map((_, index) => `$${index + 1}::bigint[]`).join(", ");
  const names = key.join(", ");
  const values = key.map((column) => rows.map((row) => row[column]));
  await query(`delete from ${table} where (${names}) in (select * from unnest(${given}))`, values);
}

/** Takes removed events out of the rollups. Plans of builds that were made before are void from then on. */
export async function takeOut(
  query: Query,
  state: StoredState,
  { put, emptied }: RemovedRows,
): Promise<void> {
  const build = newBuildNumber();
  await putRows(query, put, build);
  const { types, properties, hours, valueHours, visitors, postings } = emptied;
  const part = ["type_id", "hour", "part"] as const;
  await deleteRows(query, "event_types", ["id"], types.map(byId));
  await deleteRows(query, "event_properties", ["id"], properties.map(byId));
  await deleteRows(
    query,
    "event_values",
    ["property_id"],
    properties.map((property_id) => ({ property_id })),
  );
  await deleteRows(query, "event_hours", ["type_id", "day"], hours);
  await deleteRows(query, "event_value_hours", ["property_id", "hour"], valueHours);
  await deleteRows(query, "event_visitors", part, visitors);
  await deleteRows(query, "event_postings", part, postings);
  await setState(query, { ...state, build });
}

const byId = (id: number) => ({ id });

const CLEAR = `
  delete from event_users; delete from event_types; delete from event_properties; delete from event_values;
  delete from event_hours; delete from event_value_hours; delete from event_visitors; delete from event_postings`;

/** Empties rollups of another version. All events that are stored now are left to the backfill. */
export async function clearRollups(query: Query): Promise<void> {
  await query(CLEAR);
  const [last] = await query<{ id: number | null }>("select max(id) as id from events");
  const backfilled = Number.MIN_SAFE_INTEGER;
  await setState(query, { ...EMPTY_STATE, format: FORMAT, backfilled, backfill_end: last?.id ?? backfilled });
}
