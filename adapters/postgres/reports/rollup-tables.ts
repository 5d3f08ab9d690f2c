import type { ValueType } from "../../../domain/reports/catalogue.ts";
import type {
  HoursRow,
  PostingsRow,
  PropertyRow,
  TypeRow,
  UserRow,
  ValueHoursRow,
  ValueRow,
  VisitorsRow,
} from "../../rollups/store.ts";

// The tables of rollups, as migrations.ts creates them, and the two statements that are made for each.

type ColumnType = "bigint" | "integer" | "text" | "bytea";

export interface Table<Row> {
  readonly name: string;
  readonly columns: { readonly [Column in keyof Row & string]: ColumnType };
  readonly key: readonly (keyof Row & string)[];
}

export type PropertyColumns = Omit<PropertyRow, "value_types"> & Record<ValueType, number>;

export const USERS: Table<UserRow> = {
  name: "event_users",
  columns: { user_id: "text", number: "bigint" },
  key: ["user_id"],
};
export const TYPES: Table<TypeRow> = {
  name: "event_types",
  columns: { id: "bigint", event_type: "text", count: "bigint", first_seen: "bigint", last_seen: "bigint" },
  key: ["id"],
};
export const PROPERTIES: Table<PropertyColumns> = {
  name: "event_properties",
  columns: {
    id: "bigint",
    type_id: "bigint",
    name: "text",
    string: "bigint",
    number: "bigint",
    boolean: "bigint",
    null: "bigint",
    object: "bigint",
    array: "bigint",
    distinct_values: "bigint",
  },
  key: ["id"],
};
export const VALUES: Table<ValueRow> = {
  name: "event_values",
  columns: { property_id: "bigint", value: "text", number: "bigint" },
  key: ["property_id", "value"],
};
export const HOURS: Table<HoursRow> = {
  name: "event_hours",
  columns: { type_id: "bigint", day: "bigint", hours: "bytea" },
  key: ["type_id", "day"],
};
export const VALUE_HOURS: Table<ValueHoursRow> = {
  name: "event_value_hours",
  columns: { property_id: "bigint", hour: "bigint", counts: "bytea" },
  key: ["property_id", "hour"],
};
/** Every build has a number of its own, so a row that has kept its build has kept its users. */
export interface StoredVisitors extends VisitorsRow {
  readonly build: number;
}

export const VISITORS: Table<StoredVisitors> = {
  name: "event_visitors",
  columns: { type_id: "bigint", hour: "bigint", part: "bigint", users: "bytea", build: "bigint" },
  key: ["type_id", "hour", "part"],
};
export const POSTINGS: Table<PostingsRow> = {
  name: "event_postings",
  columns: {
    type_id: "bigint",
    hour: "bigint",
    part: "bigint",
    last_ms: "bigint",
    last_id: "bigint",
    entries: "bytea",
  },
  key: ["type_id", "hour", "part"],
};

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ");

const namesOf = <Row>({ columns }: Table<Row>) => Object.keys(columns) as (keyof Row & string)[];

/** A list of columns for a select. */
export const columnsOf = <Row>(table: Table<Row>): string =>
  namesOf(table)
    .map((name) => `t."${name}"`)
    .join(", ");

/** The parameters of these columns: an array for each. */
export const valuesOf = <Row>(names: readonly (keyof Row & string)[], rows: readonly Row[]): unknown[] =>
  names.map((name) => rows.map((row) => row[name]));

/** Rows as a table, from one array for each of these columns. */
const unnested = <Row>({ columns }: Table<Row>, names: readonly (keyof Row & string)[]): string =>
  `unnest(${names.map((name, index) => `$${index + 1}::${columns[name]}[]`).join(", ")}) as k(${quoted(names)})`;

/** The statement that selects the rows with the given keys. */
export const selectBy = <Row>(table: Table<Row>, key: readonly (keyof Row & string)[]): string =>
  `select ${columnsOf(table)} from ${unnested(table, key)} join ${table.name} as t using (${quoted(key)})`;

/** The statement that puts rows, in the place of those with the same key. */
export function upsertOf<Row>(table: Table<Row>): string {
  const names = namesOf(table);
  const others = names.filter((name) => !table.key.includes(name));
  return `insert into ${table.name}(${quoted(names)}) select * from ${unnested(table, names)}
    on conflict (${quoted(table.key)}) do update set ${others.map((name) => `"${name}" = excluded."${name}"`).join(", ")}`;
}

/** The parameters of `upsertOf`. */
export const rowValues = <Row>(table: Table<Row>, rows: readonly Row[]): unknown[] =>
  valuesOf(namesOf(table), rows);
