import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import Sqlite from "better-sqlite3";
import { isPostgres } from "../adapters/setting-values.ts";
import { readSettings } from "../adapters/settings.ts";
import { createRollupWriter } from "../adapters/sqlite/reports/rollup-writer.ts";
import { openSqlite } from "../adapters/sqlite/storage.ts";
import type { RebuildProgress, Storage } from "../domain/storage.ts";
import { parsedOptions, Refused, runScript, say } from "./command.ts";

// Rebuilds the rollups of a file. They do not notice events that were changed or deleted with SQL.

const HELP = `npm run rebuild builds the rollups of a file again, after events were changed or deleted with SQL. Stop the server first.

  npm run rebuild -- [--database <file>]     (default: ANALYTICS_DATABASE, else data/analytics.db)`;

const readOptions = () =>
  parseArgs({ options: { database: { type: "string" }, help: { type: "boolean" } } }).values;

function fileOf(named: string | undefined): string {
  const database = named ?? readSettings(process.env).database;
  if (isPostgres(database))
    throw new Refused("On PostgreSQL, update event_rollup set format = 0: the server rebuilds the rollups.");
  if (!existsSync(database)) throw new Refused(`There is no file ${database}: name one with --database.`);
  return database;
}

const onProgress = ({ done, total }: RebuildProgress): void => say(`${done} of ${total} events`);

const POLL_MS = 100;

async function untilRebuilt(storage: Storage): Promise<void> {
  while ((await storage.check()).rebuild !== undefined) await sleep(POLL_MS);
}

async function rebuild(file: string): Promise<void> {
  // Upgrades the tables of an older version first.
  await openSqlite(file).close();
  const db = new Sqlite(file);
  createRollupWriter(db).invalidate();
  db.close();
  const storage = openSqlite(file, { onProgress });
  await untilRebuilt(storage);
  const { value: types } = await storage.eventTypes();
  await storage.close();
  const events = types.reduce((sum, { count }) => sum + count, 0);
  say(`The rollups contain ${events} events of ${types.length} types.`);
}

await runScript(async () => {
  const { database, help } = parsedOptions(readOptions, HELP);
  if (help) say(HELP);
  else await rebuild(fileOf(database));
});
