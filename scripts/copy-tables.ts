import { fromSql } from "../adapters/sqlite/instants.ts";

export type Value = string | number | Uint8Array | null;
export type Row = Readonly<Record<string, Value>>;

/** A table of the same name on both engines. */
export interface Table {
  readonly name: string;
  /** The columns that identify a row. Rows are copied in their order. */
  readonly key: readonly string[];
  /** The columns in PostgreSQL and their types. */
  readonly columns: Readonly<Record<string, string>>;
  /** Further columns, in which every copied row gets the same value, as SQL. */
  readonly constants?: Readonly<Record<string, string>>;
  /** A query of the SQLite file, where the table of this name is not copied as it is. */
  readonly source?: string;
}

const specified = { created_at: "timestamptz" };

/** Ordered so that a row's references are copied before it. */
export const tables: readonly Table[] = [
  {
    name: "ab_tests",
    key: ["id"],
    columns: { id: "bigint", test_name: "text", description: "text", ...specified },
  },
  {
    name: "ab_variants",
    key: ["id"],
    columns: {
      id: "bigint",
      test_id: "bigint",
      variant_name: "text",
      description: "text",
      weight: "float8",
      ...specified,
    },
  },
  {
    name: "ab_settings",
    key: ["test_id"],
    columns: {
      test_id: "bigint",
      salt: "text",
      status: "text",
      traffic: "float8",
      confidence_level: "float8",
      planned_users: "bigint",
      stopped_at: "bigint",
      control_variant_id: "bigint",
      winner_variant_id: "bigint",
      metrics: "text",
      window_days: "bigint",
      stop_at: "bigint",
      planned_users_reached_at: "bigint",
      details: "text",
    },
  },
  {
    name: "ab_forced",
    key: ["test_id", "user_id"],
    columns: { test_id: "bigint", user_id: "text", variant_id: "bigint", forced_at: "bigint" },
  },
  {
    name: "ab_attributes",
    key: ["user_id", "test_id"],
    columns: { test_id: "bigint", user_id: "text", attributes: "text" },
  },
  {
    name: "ab_periods",
    key: ["test_id", "period", "variant_id"],
    columns: {
      test_id: "bigint",
      period: "integer",
      variant_id: "bigint",
      started_at: "bigint",
      weight: "float8",
    },
  },
  {
    name: "ab_assignments",
    key: ["user_id", "test_id"],
    columns: {
      id: "bigint",
      user_id: "text",
      test_id: "bigint",
      variant_id: "bigint",
      assigned_at: "timestamptz",
    },
  },
  {
    name: "ab_users",
    key: ["test_id", "variant_id", "epoch", "day"],
    columns: {
      test_id: "bigint",
      variant_id: "bigint",
      epoch: "integer",
      day: "integer",
      slice: "integer",
      weight: "float8",
      users: "bigint",
    },
    source: "select test_id, variant_id, epoch, day, 0 as slice, weight, users from ab_users",
  },
  {
    name: "ab_totals",
    key: ["user_id", "test_id", "metric_name"],
    columns: { user_id: "text", test_id: "bigint", metric_name: "text", count: "bigint", sum: "numeric" },
  },
  {
    name: "ab_metric_messages",
    key: ["message_id", "test_id"],
    columns: { message_id: "bytea", test_id: "bigint", metric_id: "bigint", variant_id: "bigint" },
    source:
      "select message_id, test_id, id as metric_id, variant_id from ab_metrics where message_id is not null",
  },
  {
    name: "ab_metrics",
    key: ["id"],
    columns: {
      id: "bigint",
      test_id: "bigint",
      variant_id: "bigint",
      metric_name: "text",
      value: "float8",
      ...specified,
      user_id: "text",
      occurred_at: "bigint",
      message_id: "bytea",
    },
  },
  {
    name: "event_messages",
    key: ["message_id"],
    columns: { message_id: "bytea", event_id: "bigint", ...specified },
    source: "select message_id, id as event_id, created_at from events where message_id is not null",
  },
  {
    name: "events",
    key: ["id"],
    columns: {
      id: "bigint",
      event_type: "text",
      user_id: "text",
      session_id: "text",
      properties: "text",
      ...specified,
      occurred_at: "bigint",
      client_timestamp: "bigint",
      message_id: "bytea",
    },
    // Not in the journal: the backfill adds copied events to the rollups.
    constants: { journaled: "null" },
  },
];

// Rows of experiments that were deleted are in the file until the server has swept them.
const KEPT = "where test_id not in (select test_id from ab_deletions)";

export const sourceOf = ({ name, key, columns, source }: Table): string => `
  select ${Object.keys(columns).join(", ")} from (${source ?? `select * from ${name}`})
  ${"test_id" in columns ? KEPT : ""} order by ${key.join(", ")}`;

const isTime = (type: string): boolean => type === "timestamptz";

/** Times are sent as milliseconds, because the engines store them differently. */
export const insertOf = ({ name, columns, constants = {} }: Table): string => {
  const names = Object.keys(columns);
  const types = Object.values(columns);
  const given = types.map((type, index) => `$${index + 1}::${isTime(type) ? "bigint" : type}[]`);
  const taken = names.map((column, index) =>
    isTime(types[index] ?? "") ? `to_timestamp(${column} / 1000.0)` : column,
  );
  const [filled, values] = [
    [...names, ...Object.keys(constants)],
    [...taken, ...Object.values(constants)],
  ];
  return `insert into ${name}(${filled.join(", ")})
    select ${values.join(", ")} from unnest(${given.join(", ")}) as t(${names.join(", ")}) on conflict do nothing`;
};

/** Sorts text by its bytes as SQLite does, whatever the collation of the database. */
export const targetOf = ({ name, key, columns }: Table): string => {
  const shown = Object.entries(columns).map(([column, type]) => {
    if (isTime(type)) return `round(extract(epoch from ${column}) * 1000)::float8 as ${column}`;
    return type === "bigint" || type === "numeric" ? `${column}::float8 as ${column}` : column;
  });
  const order = key.map((column) =>
    columns[column] === "text" ? `${name}.${column} collate "C"` : `${name}.${column}`,
  );
  return `select ${shown.join(", ")} from ${name} order by ${order.join(", ")}`;
};

/** Converts a row of the file to the values that PostgreSQL stores. */
export const converted = (row: Row, { columns }: Table): Row =>
  Object.fromEntries(
    Object.entries(columns).map(([column, type]) => {
      const value = row[column] ?? null;
      return [column, isTime(type) && value !== null ? fromSql(value as string | number) : value];
    }),
  );

const plain = (value: Value | undefined): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;

export const isSame = (a: Row | undefined, b: Row | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  Object.keys(a).every((column) => plain(a[column]) === plain(b[column] as Value));
