import { fromSql } from "../../adapters/sqlite/instants.ts";

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

const SUMS = ["y", "yy", "x", "xx", "xy", "d", "dd", "yd"];

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
      period: "integer",
    },
  },
  {
    name: "ab_cell_users",
    key: ["test_id", "day", "variant_id", "period"],
    columns: {
      test_id: "bigint",
      day: "integer",
      variant_id: "bigint",
      period: "integer",
      slice: "integer",
      users: "bigint",
    },
    source: "select *, 0 as slice from ab_cell_users",
  },
  {
    name: "ab_cell_sums",
    key: ["test_id", "day", "variant_id", "period", "metric_name", "declared"],
    columns: {
      test_id: "bigint",
      day: "integer",
      variant_id: "bigint",
      period: "integer",
      metric_name: "text",
      declared: "boolean",
      slice: "integer",
      users_with_value: "bigint",
      users_not_zero: "bigint",
      count: "bigint",
      ...Object.fromEntries(SUMS.map((sum) => [sum, "numeric"])),
    },
    source: `select test_id, day, variant_id, period, metric_name, declared, 0 as slice, users_with_value,
      users_not_zero, count, ${SUMS.map((sum) => `decimal(${sum}, ${sum}_low) as ${sum}`).join(", ")}
      from ab_cell_sums`,
  },
  {
    // The observation of a user is the total rounded to a double: only so do the sums and the totals agree.
    name: "ab_observations",
    key: ["user_id", "test_id", "metric_name"],
    columns: {
      test_id: "bigint",
      user_id: "text",
      metric_name: "text",
      declared: "boolean",
      day: "integer",
      count: "bigint",
      total: "numeric",
      denominator_count: "bigint",
      denominator_total: "numeric",
      covariate: "numeric",
    },
    source: `select test_id, user_id, metric_name, declared, day, count, decimal(total, 0) as total, denominator_count,
      decimal(denominator_total, 0) as denominator_total, decimal(covariate, 0) as covariate from ab_observations`,
  },
  {
    name: "ab_past_observations",
    key: ["user_id", "test_id", "metric_name", "declared", "day"],
    columns: {
      user_id: "text",
      test_id: "bigint",
      metric_name: "text",
      declared: "boolean",
      day: "integer",
      count: "bigint",
      total: "numeric",
      denominator_count: "bigint",
      denominator_total: "numeric",
      covariate: "numeric",
    },
    source: `select p.user_id, p.test_id, p.metric_name, o.declared, p.day, p.count, decimal(p.total, 0) as total,
      p.denominator_count, decimal(p.denominator_total, 0) as denominator_total, decimal(p.covariate, 0) as covariate
      from ab_past_observations p join ab_observations o using (test_id, user_id, metric_name)`,
  },
  {
    name: "ab_user_raw_values",
    key: ["user_id", "test_id", "metric_name"],
    columns: {
      user_id: "text",
      test_id: "bigint",
      metric_name: "text",
      variant_id: "bigint",
      period: "integer",
      count: "bigint",
      sum: "numeric",
      min: "numeric",
      max: "numeric",
      before_assignment: "bigint",
      after_stop: "bigint",
      after_window: "bigint",
      wrong_type: "bigint",
      out_of_range: "bigint",
    },
    source: `select user_id, test_id, metric_name, variant_id, period, count, decimal(sum, sum_low) as sum,
      decimal(min, 0) as min, decimal(max, 0) as max, before_assignment, after_stop, after_window, wrong_type,
      out_of_range from ab_user_raw_values`,
  },
  {
    name: "ab_raw_values",
    key: ["test_id", "variant_id", "metric_name"],
    columns: {
      test_id: "bigint",
      variant_id: "bigint",
      metric_name: "text",
      slice: "integer",
      count: "bigint",
      sum: "numeric",
      min: "numeric",
      max: "numeric",
      before_assignment: "bigint",
      after_stop: "bigint",
      after_window: "bigint",
      wrong_type: "bigint",
      out_of_range: "bigint",
    },
    source: `select test_id, variant_id, metric_name, 0 as slice, count, decimal(sum, sum_low) as sum,
      decimal(min, 0) as min, decimal(max, 0) as max, before_assignment, after_stop, after_window, wrong_type,
      out_of_range from ab_raw_values`,
  },
  {
    name: "ab_tally_backlog",
    key: ["id"],
    columns: {
      id: "bigint",
      source: "text",
      test_id: "bigint",
      metric_name: "text",
      next_id: "bigint",
      through_id: "bigint",
      pending: "bigint",
    },
    // Assignments are gone through in another order there, from the first one on: those with a period are passed over.
    source: `select id, source, test_id, metric_name, iif(source = 'assignments', 0, next_id) as next_id, through_id,
      through_id as pending from ab_tally_backlog`,
  },
  {
    name: "user_links",
    key: ["user_id"],
    columns: { user_id: "text", person_id: "text", linked_at: "bigint" },
  },
  {
    name: "ab_metric_messages",
    key: ["message_id", "test_id"],
    columns: { message_id: "bytea", test_id: "bigint", metric_id: "bigint", variant_id: "bigint" },
    source: `select message_id, test_id, id as metric_id, variant_id from ab_metrics where message_id is not null
      union all select message_id, test_id, metric_id, variant_id from ab_removed_messages`,
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
    name: "annotations",
    key: ["annotation_id"],
    columns: { annotation_id: "text", at: "bigint", text: "text" },
  },
  {
    name: "saved_questions",
    key: ["question_id"],
    columns: { question_id: "text", name: "text", pinned: "boolean", question: "text", created_at: "bigint" },
  },
  {
    name: "shares",
    key: ["share_id"],
    columns: {
      share_id: "text",
      digest: "text",
      page: "text",
      name: "text",
      created_at: "bigint",
      expires_at: "bigint",
    },
  },
  {
    name: "event_kept_counts",
    key: ["day", "event_type"],
    columns: { day: "bigint", event_type: "text", counts: "text", events: "bigint" },
  },
  {
    // The copy finishes no erasure: those under way are finished on the file first.
    name: "erasures",
    key: ["receipt"],
    columns: {
      receipt: "text",
      requested_at: "bigint",
      erased_at: "bigint",
      events: "bigint",
      assignments: "bigint",
      metric_values: "bigint",
      links: "bigint",
      values_reached: "bigint",
    },
    constants: { marked_by: "pg_current_xact_id()" },
  },
  {
    name: "event_messages",
    key: ["message_id"],
    columns: { message_id: "bytea", event_id: "bigint", ...specified },
    source: `select message_id, id as event_id, created_at from events where message_id is not null
      union all select message_id, event_id, created_at from removed_messages`,
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
    if (type === "boolean") return `${column}::integer as ${column}`;
    if (type === "numeric") return `${column}::text as ${column}`;
    return type === "bigint" ? `${column}::float8 as ${column}` : column;
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
