import { existsSync } from "node:fs";
import Sqlite, { type Database } from "better-sqlite3";
import pg from "pg";
import { poolConfig } from "../../adapters/postgres/connection.ts";
import { decimalOf } from "../../adapters/postgres/experiments/decimals.ts";
import { urlsOf } from "../../adapters/postgres/hosts.ts";
import { openPostgres } from "../../adapters/postgres/storage.ts";
import { isPostgres } from "../../adapters/setting-values.ts";
import { readSettings } from "../../adapters/settings.ts";
import { migrations } from "../../adapters/sqlite/migrations.ts";
import { defineCommand, Refused, WrongUsage } from "./command.ts";
import {
  converted,
  insertOf,
  isSame,
  type Row,
  sourceOf,
  type Table,
  tables,
  targetOf,
} from "./copy-tables.ts";
import { progressBar } from "./progress.ts";

const ROWS_AT_ONCE = 1_000;

const PROGRESS = `
  create table if not exists copy_progress(table_name text primary key, rows bigint not null, source text not null)`;

/** Opens the file read-only, in one transaction, so that everything is read from one snapshot. */
function openSource(file: string): Database {
  const db = new Sqlite(file, { readonly: true, fileMustExist: true });
  const applied = db.prepare<[], string>("select name from migrations").pluck().all();
  if (migrations.some(({ name }) => !applied.includes(name)) || applied.length > migrations.length) {
    throw new Refused(
      `${file} was written by another version: start this version of the server on it once, then stop it.`,
    );
  }
  if (db.prepare("select 1 from erasing limit 1").get() !== undefined) {
    throw new Refused(
      `Users of ${file} are being erased: start the server on it until GET /apiv1/erasures lists them, then stop it.`,
    );
  }
  // A pair of doubles, or a double without a second one, as the decimal that PostgreSQL keeps.
  db.function("decimal", { deterministic: true }, (high, low) =>
    high === null ? null : decimalOf({ high: Number(high), low: Number(low) }),
  );
  db.exec("begin");
  return db;
}

async function refuseStrangers(client: pg.Client, from: string): Promise<void> {
  await client.query(PROGRESS);
  const { rows } = await client.query("select distinct source from copy_progress");
  if (rows.some(({ source }) => source !== from)) {
    throw new Refused(`The database has been copied into from ${rows[0]?.source} already.`);
  }
  const used = await client.query(
    "select exists(select from events) or exists(select from ab_tests) as used",
  );
  if (rows.length === 0 && used.rows[0]?.used) {
    throw new Refused("The database is not empty: name a new one, so that nothing is mixed.");
  }
}

const countOf = (source: Database, table: Table): number =>
  source
    .prepare<[], number>(`select count(*) from (${sourceOf(table)})`)
    .pluck()
    .get() ?? 0;

async function copyTable(source: Database, client: pg.Client, table: Table, from: string): Promise<void> {
  const kept = await client.query("select rows from copy_progress where table_name = $1", [table.name]);
  const before = Number(kept.rows[0]?.rows ?? 0);
  const show = progressBar(table.name, countOf(source, table));
  let done = before;

  // Stores rows and progress in one transaction, so that an interrupted copy continues after the last one.
  async function write(rows: readonly Row[]): Promise<void> {
    const columns = Object.keys(table.columns).map((column) => rows.map((row) => row[column]));
    await client.query("begin");
    await client.query(insertOf(table), columns);
    done += rows.length;
    await client.query(
      `insert into copy_progress(table_name, rows, source) values ($1, $2, $3)
       on conflict (table_name) do update set rows = excluded.rows`,
      [table.name, done, from],
    );
    await client.query("commit");
    show(done);
  }

  show(done);
  const chunk: Row[] = [];
  let seen = 0;
  for (const row of source.prepare<[], Row>(sourceOf(table)).iterate()) {
    seen += 1;
    if (seen > before) chunk.push(converted(row, table));
    if (chunk.length === ROWS_AT_ONCE) await write(chunk.splice(0));
  }
  if (chunk.length > 0) await write(chunk);
}

// The first server that opens the database computes the rollups from the copied rows.
const BACKLOG = `
  update event_rollup set backfilled = ${Number.MIN_SAFE_INTEGER},
    backfill_end = coalesce((select max(id) from events), ${Number.MIN_SAFE_INTEGER})`;

/** Advances the sequences, so that new rows get ids after the copied ones. */
async function moveSequences(client: pg.Client): Promise<void> {
  for (const [table, sequence] of [
    ["events", "event_ids"],
    ["ab_metrics", "metric_ids"],
    ...["ab_tests", "ab_variants", "ab_assignments", "ab_tally_backlog"].map((name) => [
      name,
      `${name}_id_seq`,
    ]),
  ]) {
    await client.query(
      `select setval('${sequence}', coalesce((select max(id) from ${table}), 0) + 1, false)`,
    );
  }
  await client.query("update ab_revision set revision = revision + 1");
}

async function* rowsOf(client: pg.Client, text: string): AsyncGenerator<Row> {
  await client.query("begin");
  await client.query(`declare copied no scroll cursor for ${text}`);
  for (;;) {
    const { rows } = await client.query(`fetch ${ROWS_AT_ONCE} from copied`);
    yield* rows;
    if (rows.length < ROWS_AT_ONCE) break;
  }
  await client.query("commit");
}

async function checkTable(source: Database, client: pg.Client, table: Table): Promise<number> {
  const show = progressBar(`${table.name}, checked`, countOf(source, table));
  const found = rowsOf(client, targetOf(table));
  let checked = 0;
  for (const row of source.prepare<[], Row>(sourceOf(table)).iterate()) {
    const { value } = await found.next();
    if (!isSame(converted(row, table), value as Row | undefined)) {
      throw new Refused(`\n${table.name} differs at its row ${checked + 1}: ${JSON.stringify(row)}`);
    }
    checked += 1;
    if (checked % ROWS_AT_ONCE === 0) show(checked);
  }
  if (!(await found.next()).done) throw new Refused(`\n${table.name} has more rows than the file.`);
  show(checked);
  return checked;
}

async function copy(from: string, to: string, ca: string | undefined): Promise<void> {
  const source = openSource(from);
  // Creates the tables.
  await (await openPostgres(to, { ca })).close();
  const client = new pg.Client(poolConfig(urlsOf(to)?.[0] ?? to, { ca }));
  await client.connect();
  try {
    await refuseStrangers(client, from);
    for (const table of tables) await copyTable(source, client, table, from);
    await client.query(BACKLOG);
    await moveSequences(client);
    let rows = 0;
    for (const table of tables) rows += await checkTable(source, client, table);
    await client.query("drop table copy_progress");
    process.stdout.write(`Copied ${rows} rows and compared each of them with the file: all are the same.\n`);
  } finally {
    await client.end();
    source.close();
  }
}

export const command = defineCommand({
  name: "copy",
  summary: "copies a SQLite file to an empty PostgreSQL database, and compares every row",
  usage: "--from <file> --to postgres://user:password@host/name",
  help: "  Stop the server first. A copy that was interrupted goes on where it ended.",
  options: { from: { type: "string" }, to: { type: "string" } },
  async run({ values: { from, to } }) {
    if (from === undefined || to === undefined) throw new WrongUsage("Name the file and the database.");
    if (!isPostgres(to)) throw new WrongUsage("--to is no address of a PostgreSQL database.");
    if (!existsSync(from)) throw new Refused(`There is no file ${from}.`);
    const { ANALYTICS_DATABASE_CA } = process.env;
    const { databaseCa: ca } = readSettings({ ANALYTICS_DATABASE: to, ANALYTICS_DATABASE_CA });
    await copy(from, to, ca);
  },
});
