import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import Sqlite from "better-sqlite3";
import { isPostgres, readSettings, UnusableSettings } from "../adapters/environment.ts";
import { forgetCounts } from "../adapters/sqlite/fold-writer.ts";
import { openSqlite, UnusableDatabase } from "../adapters/sqlite/storage.ts";

// Counts all events anew, for whoever has deleted or changed some by hand: what is kept for questions knows nothing of that.

class Refused extends Error {}

const { values } = parseArgs({ options: { database: { type: "string" } } });
const say = (line: string): void => void process.stderr.write(`${line}\n`);

function fileOf(): string {
  const database = values.database ?? readSettings(process.env).database;
  if (isPostgres(database))
    throw new Refused("PostgreSQL answers from the events themselves: there is nothing to count.");
  if (!existsSync(database)) throw new Refused(`There is no file ${database}: name one with --database.`);
  return database;
}

const onProgress = (done: number, total: number): void => say(`counted ${done} of ${total} events`);

async function recount(): Promise<void> {
  const file = fileOf();
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
  await recount();
} catch (error) {
  if (!(error instanceof Refused || error instanceof UnusableSettings || error instanceof UnusableDatabase))
    throw error;
  say(error.message);
  process.exitCode = 1;
}
