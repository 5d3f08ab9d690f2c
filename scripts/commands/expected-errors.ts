import { SqliteError } from "better-sqlite3";
import pg from "pg";
import { UnusableDatabase as UnusablePostgres } from "../../adapters/postgres/storage.ts";
import { UnusableSettings } from "../../adapters/settings.ts";
import { UnusableDatabase as UnusableSqlite } from "../../adapters/sqlite/storage.ts";
import { Failure } from "../../domain/failure.ts";
import { Refused } from "./command.ts";

const EXPECTED = [
  Refused,
  Failure,
  UnusableSettings,
  UnusableSqlite,
  UnusablePostgres,
  SqliteError,
  pg.DatabaseError,
];

/** Whether the message of an error says all that the person who started a command has to know. */
export const isExpected = (error: unknown): error is Error => EXPECTED.some((kind) => error instanceof kind);
