import { SqliteError } from "better-sqlite3";
import { Failure } from "../../domain/failure.ts";

// Extended codes begin with their primary one: SQLITE_IOERR_WRITE, SQLITE_READONLY_DBMOVED, SQLITE_BUSY_SNAPSHOT.
const BUSY = ["SQLITE_BUSY", "SQLITE_LOCKED"];
const OUT_OF_ORDER = [
  "SQLITE_FULL",
  "SQLITE_IOERR",
  "SQLITE_READONLY",
  "SQLITE_CANTOPEN",
  "SQLITE_CORRUPT",
  "SQLITE_NOTADB",
  "SQLITE_NOMEM",
];

const isOneOf = (error: unknown, codes: readonly string[]): boolean =>
  error instanceof SqliteError && codes.some((code) => error.code.startsWith(code));

/** Somebody else holds the lock: the same act may succeed in a moment. */
export const isBusy = (error: unknown): boolean => isOneOf(error, BUSY);

/** The disk, the file or its permissions are at fault, not what was asked. */
export const isOutOfOrder = (error: unknown): boolean => isOneOf(error, OUT_OF_ORDER);

export const isUniqueViolation = (error: unknown): boolean => isOneOf(error, ["SQLITE_CONSTRAINT_UNIQUE"]);

const DETAILS = {
  write: "The storage cannot take this now; nothing was stored. Send it again.",
  read: "The storage cannot be read now. Ask again in a moment.",
};

/** What the port promises when the storage cannot be reached. Any other error is a defect, and stays what it is. */
export function asFailure(error: unknown, act: keyof typeof DETAILS): unknown {
  if (!isBusy(error) && !isOutOfOrder(error)) return error;
  return new Failure("unavailable", DETAILS[act], { retryAfterSeconds: 1, cause: error });
}

/** A read, whose errors become what the port promises. */
export async function reading<T>(act: () => T): Promise<T> {
  try {
    return act();
  } catch (error) {
    throw asFailure(error, "read");
  }
}
