import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import Sqlite from "better-sqlite3";
import { isPostgres } from "../adapters/setting-values.ts";
import { readSettings } from "../adapters/settings.ts";
import { forgetCounts } from "../adapters/sqlite/fold-writer.ts";
import { openSqlite } from "../adapters/sqlite/storage.ts";
import { parsedOptions, Refused, runScript, say } from "./command.ts";

// Rebuilds the rollups of a file. They do not notice events that were changed or deleted with SQL.

const HELP = `npm run recount counts all events of a file again, after some were changed or deleted with SQL. Stop the server first.

  npm run recount -- [--database <file>]     (default: ANALYTICS_DATABASE, else data/analytics.db)`;

const readOptions = () =>
  parseArgs({ options: { database: { type: "string" }, help: { type: "boolean" } } }).values;

function fileOf(named: string | undefined): string {
  const database = named ?? readSettings(process.env).database;
  if (isPostgres(database))
    throw new Refused("PostgreSQL answers from the events themselves: there is nothing to count.");
  if (!existsSync(database)) throw new Refused(`There is no file ${database}: name one with --database.`);
  return database;
}

const onProgress = (done: number, total: number): void => say(`counted ${done} of ${total} events`);

async function recount(file: string): Promise<void> {
  // Upgrades a file of an older version first; one without rollups is counted by that already.
  await openSqlite(file, { onProgress }).close();
  const db = new Sqlite(file);
  forgetCounts(db);
  db.close();
  const storage = openSqlite(file, { onProgress });
  const { value } = await storage.eventTypes();
  await storage.close();
  say(`Counted ${value.reduce((sum, { count }) => sum + count, 0)} events of ${value.length} types.`);
}

await runScript(async () => {
  const { database, help } = parsedOptions(readOptions, HELP);
  if (help) say(HELP);
  else await recount(fileOf(database));
});
