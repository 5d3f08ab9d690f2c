import { SqliteError } from "better-sqlite3";
import { Failure } from "../../domain/failure.ts";
import type { StorageCondition } from "../../domain/storage.ts";

// An extended code begins with its primary code: SQLITE_IOERR_WRITE, SQLITE_READONLY_DBMOVED, SQLITE_BUSY_SNAPSHOT.
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

/** Another connection holds the lock: the same act may succeed in a moment. */
export const isBusy = (error: unknown): boolean => isOneOf(error, BUSY);

/** The disk, the file or its permissions are at fault, not the request. */
export const isOutOfOrder = (error: unknown): boolean => isOneOf(error, OUT_OF_ORDER);

export const isUniqueViolation = (error: unknown): boolean => isOneOf(error, ["SQLITE_CONSTRAINT_UNIQUE"]);

const DETAILS = {
  write: "The storage cannot take this now; nothing was stored. Send it again.",
  read: "The storage cannot be read now. Ask again in a moment.",
};

/** Turns an error of SQLite into the failure that the port promises. Any other error is a defect and is passed on. */
export function asFailure(error: unknown, act: keyof typeof DETAILS): unknown {
  if (!isBusy(error) && !isOutOfOrder(error)) return error;
  return new Failure("unavailable", DETAILS[act], { retryAfterSeconds: 1, cause: error });
}

/** Runs a read whose errors become the failures that the port promises. */
export async function reading<T>(act: () => T): Promise<T> {
  try {
    return act();
  } catch (error) {
    throw asFailure(error, "read");
  }
}

const UNWRITABLE = [
  { code: "SQLITE_READONLY_DBMOVED", state: "moved" },
  { code: "SQLITE_READONLY", state: "read-only" },
  { code: "SQLITE_FULL", state: "full" },
] as const;

/** Runs the checks of the storage's health, and says what their first error means. */
export async function conditionOf(checks: () => void): Promise<StorageCondition> {
  try {
    checks();
    return { state: "ok" };
  } catch (cause) {
    const known = UNWRITABLE.find(({ code }) => isOneOf(cause, [code]));
    if (known === undefined) throw asFailure(cause, "read");
    return { state: known.state, cause };
  }
}
