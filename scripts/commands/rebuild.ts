import { existsSync } from "node:fs";
import Sqlite from "better-sqlite3";
import { isPostgres } from "../../adapters/setting-values.ts";
import { readSettings } from "../../adapters/settings.ts";
import { createRollupWriter } from "../../adapters/sqlite/reports/rollup-writer.ts";
import { openSqlite } from "../../adapters/sqlite/storage.ts";
import type { RebuildProgress } from "../../domain/storage.ts";
import { defineCommand, Refused, say } from "./command.ts";
import { builtRollups } from "./rollups.ts";

// Rebuilds the rollups of a file. They do not notice events that were changed or deleted with SQL.

function fileOf(named: string | undefined): string {
  const database = named ?? readSettings(process.env).database;
  if (isPostgres(database))
    throw new Refused("On PostgreSQL, update event_rollup set format = 0: the server rebuilds the rollups.");
  if (!existsSync(database)) throw new Refused(`There is no file ${database}: name one with --database.`);
  return database;
}

const onProgress = ({ done, total }: RebuildProgress): void => say(`${done} of ${total} events`);

async function rebuild(file: string): Promise<void> {
  // Upgrades the tables of an older version first.
  await openSqlite(file).close();
  const db = new Sqlite(file);
  createRollupWriter(db).invalidate();
  db.close();
  const storage = openSqlite(file, { onProgress });
  const { events, types } = await builtRollups(storage);
  await storage.close();
  say(`The rollups contain ${events} events of ${types} types.`);
}

export const command = defineCommand({
  name: "rebuild",
  summary: "builds the rollups of a file again, after events were changed or deleted with SQL",
  usage: "[--database <file>]",
  help: `  --database <file>     the database (ANALYTICS_DATABASE, else data/analytics.db)

  Stop the server first.`,
  options: { database: { type: "string" } },
  run: ({ values }) => rebuild(fileOf(values.database)),
});
