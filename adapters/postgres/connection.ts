import pg, { type PoolConfig } from "pg";

export interface ConnectionOptions {
  /** Certificates (PEM) of the authority that signed the server's certificate. Default: those that Node knows. */
  readonly ca?: string | undefined;
  /** Limit of open connections of this process. */
  readonly connections?: number | undefined;
  /** How long a statement that lost its connection or a race is tried again. */
  readonly patienceMs?: number | undefined;
  /** Time limit of a report, from its request. */
  readonly reportMs?: number | undefined;
}

// Each connection is a process on the server, which works best with a few for each of its cores.
export const CONNECTIONS = 6;
const CONNECT_PATIENCE_MS = 3_000;
// Longer than any statement that stores or finds rows takes. A statement without an answer by then counts as lost.
const QUERY_PATIENCE_MS = 15_000;

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?|)$/i;

/** TLS by libpq's modes of these names. Without a mode a server on another host has to prove its identity. */
function tlsOf(mode: string | null, host: string, ca: string | undefined): PoolConfig["ssl"] {
  switch (mode ?? (LOOPBACK.test(host) ? "disable" : "verify-full")) {
    case "disable":
      return false;
    case "require":
      return { rejectUnauthorized: false };
    case "verify-ca":
      return { ca, checkServerIdentity: () => undefined };
    case "verify-full":
      return { ca };
    default:
      throw new Error("sslmode must be disable, require, verify-ca or verify-full");
  }
}

/** The settings of connections to one host. */
export function poolConfig(url: string, { ca, connections = CONNECTIONS }: ConnectionOptions): PoolConfig {
  const address = new URL(url);
  const ssl = tlsOf(address.searchParams.get("sslmode"), address.hostname, ca);
  address.searchParams.delete("sslmode");
  return {
    connectionString: address.href,
    ssl,
    max: connections,
    connectionTimeoutMillis: CONNECT_PATIENCE_MS,
    query_timeout: QUERY_PATIENCE_MS,
    keepAlive: true,
    // An idle connection must not keep the process alive.
    allowExitOnIdle: true,
    application_name: "analytics-server",
    types: { getTypeParser: (oid: number, format?: "text" | "binary") => parserOf(oid, format) },
  };
}

const BIGINT = 20;

/** A bigint is read as a number: each is an id, a count or a time, far below 2⁵³. */
function parserOf(oid: number, format: "text" | "binary" = "text") {
  return oid === BIGINT ? Number : pg.types.getTypeParser(oid, format as "text");
}
