import type { Query } from "./client.ts";
import type { Database } from "./database.ts";
import { isUnsupported } from "./failures.ts";

/** An index over a table that may be large. */
export interface Index {
  readonly name: string;
  /** The table and columns, and the condition of a partial index. */
  readonly on: string;
}

/** The indexes of `events`. On a table with rows they are created in the background, without blocking writes. */
export const INDEXES: readonly Index[] = [
  { name: "events_occurred_at", on: "events(occurred_at, id)" },
  // Rows of other programs, of which there are few or none: see reports/unbuilt-events.ts.
  { name: "events_not_journaled", on: "events(id) where not journaled" },
];

const PRESENT = `
  select c.relname as name, i.indisvalid as is_valid from pg_index i join pg_class c on c.oid = i.indexrelid
  where c.relname = any($1::text[]) and pg_table_is_visible(c.oid)`;

/** The indexes that are missing, or invalid because their creation was interrupted. */
async function missing(query: Query): Promise<Index[]> {
  const rows = await query<{ name: string; is_valid: boolean }>(PRESENT, [INDEXES.map(({ name }) => name)]);
  const valid = new Set(rows.filter(({ is_valid }) => is_valid).map(({ name }) => name));
  return INDEXES.filter(({ name }) => !valid.has(name));
}

/** Creates the indexes of a table that has no rows yet. */
export async function createOnEmptyTable(query: Query): Promise<void> {
  const [row] = await query<{ is_empty: boolean }>("select not exists (select from events) as is_empty");
  if (row?.is_empty !== true) return;
  for (const { name, on } of INDEXES) await query(`create index if not exists ${name} on ${on}`);
}

const CREATION_MS = 3_600_000;

/** A table that is cut into partitions takes indexes only at once, and only in a transaction. */
async function create({ query, queryOnce }: Database, { name, on }: Index): Promise<void> {
  await query(`drop index concurrently if exists ${name}`).catch(ignorePartitions);
  const options = { answerMs: CREATION_MS };
  await queryOnce(`create index concurrently if not exists ${name} on ${on}`, undefined, options).catch(
    async (error) => {
      ignorePartitions(error);
      await queryOnce(`create index if not exists ${name} on ${on}`, undefined, options);
    },
  );
}

function ignorePartitions(error: unknown): void {
  if (!isUnsupported(error)) throw error;
}

const CLAIM = "select name from migrations where name = '0001_specified_tables' for update skip locked";

/**
 * Creates the indexes that are missing, without blocking writes. False while another process does so. The claim is a row's
 * lock, held by a transaction that does nothing else: the creation of an index waits for every transaction with a snapshot.
 */
export async function createIndexes(database: Database): Promise<boolean> {
  if ((await missing(database.query)).length === 0) return true;
  return database.transaction(async (query) => {
    if ((await query(CLAIM)).length === 0) return false;
    for (const index of await missing(database.query)) await create(database, index);
    return true;
  }, CREATION_MS);
}
