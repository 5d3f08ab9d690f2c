import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { isPostgres } from "../../adapters/setting-values.ts";
import { readSettings } from "../../adapters/settings.ts";
import { defineCommand, Refused, WrongUsage } from "./command.ts";
import { copyDatabase } from "./database-copy.ts";

/** A log that belongs to an earlier file would be played into the restored one. */
function refuseLogs(database: string): void {
  const logs = [`${database}-wal`, `${database}-shm`].filter((file) => existsSync(file));
  if (logs.length === 0) return;
  throw new Refused(
    `${logs.join(" and ")} belong to an earlier database: move them away first, with their file.`,
  );
}

async function restore(backup: string, database: string): Promise<void> {
  if (isPostgres(database)) {
    throw new Refused(
      `This database is in PostgreSQL, which brings a program for it:\n\n  pg_restore --dbname='postgres://…' ${backup}\n\n` +
        "docs/operations.md describes the whole of it.",
    );
  }
  refuseLogs(database);
  mkdirSync(dirname(database), { recursive: true });
  await copyDatabase(backup, database);
}

export const command = defineCommand({
  name: "restore",
  summary: "copies a backup to the place of the database, and checks it",
  usage: "<backup> [--database <file>]",
  help: `  --database <file>     where the server will look for it (ANALYTICS_DATABASE, else data/analytics.db)

  Stop the server and move the old file away first: an existing file is not replaced.`,
  options: { database: { type: "string" } },
  allowPositionals: true,
  async run({ values, positionals }) {
    const [backup, ...more] = positionals;
    if (backup === undefined || more.length > 0) throw new WrongUsage("Name one backup to restore.");
    await restore(backup, values.database ?? readSettings(process.env).database);
  },
});
