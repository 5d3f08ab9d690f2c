import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import Sqlite from "better-sqlite3";
import { isPostgres, readSettings, UnusableSettings } from "../adapters/settings.ts";
import { forgetCounts } from "../adapters/sqlite/fold-writer.ts";
import { openSqlite, UnusableDatabase } from "../adapters/sqlite/storage.ts";

// Counts all events anew, for whoever has deleted or changed some by hand: what is kept for questions knows nothing of that.

class Refused extends Error {}

const HELP = `npm run recount counts all events of a file anew, after some were changed or deleted by hand. Stop the server first.

  npm run recount -- [--database <file>]     (ANALYTICS_DATABASE, else data/analytics.db)`;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function readOptions() {
  try {
    return parseArgs({ options: { database: { type: "string" }, help: { type: "boolean" } } }).values;
  } catch (error) {
    throw new Refused(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
  }
}

function fileOf(named: string | undefined): string {
  const database = named ?? readSettings(process.env).database;
  if (isPostgres(database))
    throw new Refused("PostgreSQL answers from the events themselves: there is nothing to count.");
  if (!existsSync(database)) throw new Refused(`There is no file ${database}: name one with --database.`);
  return database;
}

const onProgress = (done: number, total: number): void => say(`counted ${done} of ${total} events`);

async function recount(file: string): Promise<void> {
  // Brings a file of an older version up to date first; in one without rollups this counts everything once already.
  await openSqlite(file, { onProgress }).close();
  const db = new Sqlite(file);
  forgetCounts(db);
  db.close();
  const storage = openSqlite(file, { onProgress });
  const { value } = await storage.eventTypes();
  await storage.close();
  say(`Counted ${value.reduce((sum, { count }) => sum + count, 0)} events of ${value.length} types.`);
}

try {
  const { database, help } = readOptions();
  if (help) say(HELP);
  else await recount(fileOf(database));
} catch (error) {
  if (!(error instanceof Refused || error instanceof UnusableSettings || error instanceof UnusableDatabase))
    throw error;
  say(error.message);
  process.exitCode = 1;
}
