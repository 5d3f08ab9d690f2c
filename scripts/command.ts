import { SqliteError } from "better-sqlite3";
import pg from "pg";
import { UnusableDatabase as UnusablePostgres } from "../adapters/postgres/storage.ts";
import { UnusableSettings } from "../adapters/settings.ts";
import { UnusableDatabase as UnusableSqlite } from "../adapters/sqlite/storage.ts";

/** Ends a script with a message for the person who started it, without a stack. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** Writes a line to standard error, which leaves standard output to results. */
export const say = (line: string): void => void process.stderr.write(`${line}\n`);

const EXPECTED = [Refused, UnusableSettings, UnusableSqlite, UnusablePostgres, SqliteError, pg.DatabaseError];

/**
 * Runs a script. An expected error is printed and ends it with status 1; any other one is a defect and keeps its stack.
 */
export async function runScript(script: () => Promise<void>): Promise<void> {
  try {
    await script();
  } catch (error) {
    if (!(error instanceof Error && EXPECTED.some((kind) => error instanceof kind))) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}

/** Reads command-line options. The help follows the error of an option that is wrong. */
export function parsedOptions<T>(parse: () => T, help: string): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(`${error instanceof Error ? error.message : error}\n\n${help}`);
  }
}
