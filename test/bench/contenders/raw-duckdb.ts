import { rmSync } from "node:fs";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import Sqlite from "better-sqlite3";

// Copies the events of a SQLite database into DuckDB, a column store, and runs SQL queries on them one at a time. Returns
// the duration of each in milliseconds.
const [database = "", copy = ""] = process.argv.slice(2);

type EventRow = [number, string, string | null, string | null, string | null, number];

async function copyEvents(connection: DuckDBConnection): Promise<void> {
  await connection.run(
    "create table events(id bigint, event_type varchar, user_id varchar, session_id varchar, properties json, occurred_at bigint)",
  );
  const appender = await connection.createAppender("events");
  const append = (text: string | null): void =>
    text === null ? appender.appendNull() : appender.appendVarchar(text);
  const db = new Sqlite(database, { readonly: true });
  const rows = db
    .prepare<[], EventRow>(
      "select id, event_type, user_id, session_id, properties, occurred_at from events order by id",
    )
    .raw();
  for (const [id, event_type, user_id, session_id, properties, occurred_at] of rows.iterate()) {
    appender.appendBigInt(BigInt(id));
    for (const text of [event_type, user_id, session_id, properties]) append(text);
    appender.appendBigInt(BigInt(occurred_at));
    appender.endRow();
  }
  appender.closeSync();
  db.close();
}

/** Translates queries from SQLite: in DuckDB `/` divides integers into a fraction. */
const inDuckDb = (sql: string): string => sql.replaceAll(" / ", " // ");

// A copy of an earlier run may be of other events.
rmSync(copy, { force: true });
const connection = await (await DuckDBInstance.create(copy)).connect();
await copyEvents(connection);

process.on("message", async ({ sql, values }: { sql: string; values: (string | number)[] }) => {
  const startedAt = performance.now();
  await connection.runAndReadAll(inDuckDb(sql), values);
  process.send?.(performance.now() - startedAt);
});
process.send?.("ready");
