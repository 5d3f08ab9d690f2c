import { openPostgres } from "../../adapters/postgres/storage.ts";
import { isPostgres } from "../../adapters/setting-values.ts";
import { readSettings, type Settings } from "../../adapters/settings.ts";
import { openSqlite } from "../../adapters/sqlite/storage.ts";
import type { Storage } from "../../domain/storage.ts";

/** The settings that a command needs, for the database it was given or else that of the environment. */
export function databaseSettings(database: string | undefined): Settings {
  const { ANALYTICS_DATABASE, ANALYTICS_DATABASE_CA, ANALYTICS_PORT } = process.env;
  return readSettings({
    ANALYTICS_DATABASE: database ?? ANALYTICS_DATABASE,
    ANALYTICS_DATABASE_CA,
    ANALYTICS_PORT,
  });
}

export const openStorage = async ({ database, databaseCa }: Settings): Promise<Storage> =>
  isPostgres(database) ? openPostgres(database, { ca: databaseCa }) : openSqlite(database);

/** The name of a database without its password. */
export const shownDatabase = (database: string): string =>
  isPostgres(database) ? database.replace(/^([^/]+\/\/[^:@/]*):[^@/]*@/, "$1:…@") : database;
