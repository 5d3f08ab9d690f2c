import { isPostgres } from "../../adapters/setting-values.ts";
import { readSettings } from "../../adapters/settings.ts";
import { defineCommand, Refused, WrongUsage } from "./command.ts";
import { copyDatabase } from "./database-copy.ts";

async function backUp(source: string, target: string): Promise<void> {
  if (!isPostgres(source)) return copyDatabase(source, target);
  throw new Refused(
    `This database is in PostgreSQL, which brings a program for backups:\n\n  pg_dump --format=custom --file=${target} 'postgres://…'\n\n` +
      "docs/operations.md says how to restore it.",
  );
}

export const command = defineCommand({
  name: "backup",
  summary: "copies the database to a new file, while the server runs, and checks the copy",
  usage: "<new file> [--database <file>]",
  help: "  --database <file>     the database (ANALYTICS_DATABASE, else data/analytics.db)",
  options: { database: { type: "string" } },
  allowPositionals: true,
  async run({ values, positionals }) {
    const [target, ...more] = positionals;
    if (target === undefined || more.length > 0)
      throw new WrongUsage("Name one file to write the backup to.");
    await backUp(values.database ?? readSettings(process.env).database, target);
  },
});
