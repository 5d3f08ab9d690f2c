import Sqlite from "better-sqlite3";
import pg from "pg";
import { isPostgres } from "../../../adapters/setting-values.ts";

// Runs SQL queries on a database one at a time, and returns the duration of each in milliseconds.
const [database = ""] = process.argv.slice(2);

type Ask = (sql: string, values: (string | number)[]) => unknown;

function sqlite(): Ask {
  const db = new Sqlite(database, { readonly: true });
  db.pragma("cache_size = -64000");
  db.pragma("mmap_size = 1073741824");
  return (sql, values) => db.prepare(sql).all(...values);
}

/** Translates queries from SQLite: PostgreSQL numbers its parameters and stores properties as text. */
async function postgres(): Promise<Ask> {
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  return (sql, values) => {
    let number = 0;
    const text = sql
      .replaceAll("properties ->>", "properties::json ->>")
      .replace(/\?/g, () => `$${++number}`);
    return client.query(text, values);
  };
}

const ask = isPostgres(database) ? await postgres() : sqlite();

process.on("message", async ({ sql, values }: { sql: string; values: (string | number)[] }) => {
  const startedAt = performance.now();
  await ask(sql, values);
  process.send?.(performance.now() - startedAt);
});
process.send?.("ready");
