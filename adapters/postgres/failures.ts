import pg from "pg";
import { Failure } from "../../domain/failure.ts";

// SQLSTATE codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
const LOST_A_RACE = ["40001", "40P01"];
// Shutting down, starting up, failed over to a standby, out of connections: another attempt may meet a healthy server.
const NOT_NOW = ["08", "57P01", "57P02", "57P03", "57P05", "25006", "53300"];
// Out of disk, memory or time, a login that is refused, a partition that is missing: trying again does not help.
const OUT_OF_ORDER = ["28", "3D000", "53", "55P03", "57014", "58"];
const UNDEFINED_TABLE = "42P01";
const TAKEN = ["23505", "42P07", "42710"];
const CHECK_VIOLATION = "23514";
const DISK_FULL = "53100";

const hasCode = (error: unknown, codes: readonly string[]): boolean =>
  error instanceof pg.DatabaseError && codes.some((code) => error.code?.startsWith(code));

/** The connection to the server is broken, or the server did not answer in time. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** The server cannot prove its identity, or offers no TLS. Only a change of settings or certificates helps. */
export class UntrustedServer extends Error {
  override readonly name = "UntrustedServer";
}

const ADVICE = {
  authority:
    "Set ANALYTICS_DATABASE_CA to the certificates of the authority that signed the server's certificate.",
  expired: "Renew the server's certificate.",
  name: "Use the host's name of the certificate in ANALYTICS_DATABASE, or ?sslmode=verify-ca to leave the name unchecked.",
  noTls:
    "Switch TLS on at the server, or add ?sslmode=disable to ANALYTICS_DATABASE where nobody can listen between the two.",
};

// The codes of OpenSSL's verification, as Node names them.
const TLS_ERRORS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: ADVICE.expired,
  CERT_NOT_YET_VALID: ADVICE.expired,
  ERR_TLS_CERT_ALTNAME_INVALID: ADVICE.name,
  HOSTNAME_MISMATCH: ADVICE.name,
};
const UNVERIFIED = /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|INVALID_CA|ERR_SSL_|ERR_OSSL_)/;
const NO_TLS = "The server does not support SSL connections";

/** Why the server is not trusted, and what to do; undefined for any other error. */
function distrustOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.message === NO_TLS) return `The server offers no TLS. ${ADVICE.noTls}`;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const advice = TLS_ERRORS[code] ?? (UNVERIFIED.test(code) ? ADVICE.authority : undefined);
  return advice && `The server's certificate is not accepted: ${error.message}. ${advice}`;
}

/** Sorts errors that did not come from the server: they concern the connection, whatever the driver calls them. */
export function fromDriver(error: unknown): unknown {
  if (error instanceof pg.DatabaseError || error instanceof ConnectionLost) return error;
  const distrust = distrustOf(error);
  if (distrust !== undefined) return new UntrustedServer(distrust, { cause: error });
  return new ConnectionLost(error instanceof Error ? error.message : String(error), { cause: error });
}

/** The connection does not know a named statement, or knows one of that name already: a pooler has swapped connections. */
export const isLostStatement = (error: unknown): boolean => hasCode(error, ["26000", "42P05"]);

/** A named statement was planned before the columns of a table were changed. */
const isOutdatedStatement = (error: unknown): boolean =>
  hasCode(error, ["0A000"]) && (error as pg.DatabaseError).routine === "RevalidateCachedQuery";

/** The connection cannot be used any more, though the pool may not know. */
export const isUnusable = (error: unknown): boolean =>
  error instanceof ConnectionLost ||
  hasCode(error, NOT_NOW) ||
  isLostStatement(error) ||
  isOutdatedStatement(error);

/** The same statement may succeed in a moment. */
export const isPassing = (error: unknown): boolean => isUnusable(error) || hasCode(error, LOST_A_RACE);

export const isMissingTable = (error: unknown): boolean => hasCode(error, [UNDEFINED_TABLE]);

/** The name of a new object is taken already. */
export const isTakenName = (error: unknown): boolean => hasCode(error, TAKEN);

/** The engine's error, also of a failure that was made of it. */
const causeOf = (error: unknown): unknown => (error instanceof Failure ? error.cause : error);

export const isDiskFull = (error: unknown): boolean => hasCode(causeOf(error), [DISK_FULL]);

/** A row belongs to no partition of its table. A check that a table declares is violated by its name. */
export function isMissingPartition(error: unknown): boolean {
  const cause = causeOf(error);
  return hasCode(cause, [CHECK_VIOLATION]) && (cause as pg.DatabaseError).constraint === undefined;
}

/** The lock of a table was not free within the time that others may be kept waiting. */
export const isLockTimeout = (error: unknown): boolean => hasCode(causeOf(error), ["55P03"]);

/** The server cannot do this to a table of this kind. */
export const isUnsupported = (error: unknown): boolean => hasCode(causeOf(error), ["0A000", "42809"]);

/** Turns an error into the failure that the port promises. Any other error is a defect and is passed on. */
export function asFailure(error: unknown): unknown {
  const isExpected =
    isPassing(error) ||
    hasCode(error, OUT_OF_ORDER) ||
    error instanceof UntrustedServer ||
    isMissingPartition(error);
  if (!isExpected) return error;
  return new Failure("unavailable", "The storage cannot take this now. Send it again.", {
    retryAfterSeconds: 1,
    cause: error,
  });
}
