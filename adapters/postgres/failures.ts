import pg from "pg";
import { Failure } from "../../domain/failure.ts";

// SQLSTATE codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
const LOST_A_RACE = ["40001", "40P01"];
// Shutting down, starting up, fallen over to a replica, out of connections: another try may meet a healthy server.
const NOT_NOW = ["08", "57P01", "57P02", "57P03", "57P05", "25006", "53300"];
// Out of disk, memory or time: trying again would make it worse.
const OUT_OF_ORDER = ["53", "55P03", "57014", "58"];
const UNDEFINED_TABLE = "42P01";
const TAKEN = ["23505", "42P07", "42710"];

const hasCode = (error: unknown, codes: readonly string[]): boolean =>
  error instanceof pg.DatabaseError && codes.some((code) => error.code?.startsWith(code));

/** The way to the server is broken, or it did not answer in time. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** What the server has not said is about the way to it, whatever the driver calls it. */
export function fromDriver(error: unknown): unknown {
  if (error instanceof pg.DatabaseError) return error;
  return new ConnectionLost(error instanceof Error ? error.message : String(error), { cause: error });
}

/** The connection is of no more use, though the pool may think otherwise. */
export const isUnusable = (error: unknown): boolean =>
  error instanceof ConnectionLost || hasCode(error, NOT_NOW);

/** The same statement may succeed in a moment. */
export const isPassing = (error: unknown): boolean => isUnusable(error) || hasCode(error, LOST_A_RACE);

export const isMissingTable = (error: unknown): boolean => hasCode(error, [UNDEFINED_TABLE]);

/** What should be created is there already. */
export const isTakenName = (error: unknown): boolean => hasCode(error, TAKEN);

/** What the port promises when the storage cannot be reached. Any other error is a defect, and stays what it is. */
export function asFailure(error: unknown): unknown {
  if (!isPassing(error) && !hasCode(error, OUT_OF_ORDER)) return error;
  return new Failure("unavailable", "The storage cannot take this now. Send it again.", {
    retryAfterSeconds: 1,
    cause: error,
  });
}
