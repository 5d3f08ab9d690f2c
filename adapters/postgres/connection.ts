import pg, { type PoolConfig } from "pg";

export interface ConnectionOptions {
  /** Certificates (PEM) of whoever has signed the server's; those that Node knows where it is absent. */
  readonly ca?: string | undefined;
  /** The most connections this process opens. */
  readonly connections?: number | undefined;
  /** For how long a statement is tried again that lost its connection or a race. */
  readonly patienceMs?: number | undefined;
  /** How long the answer to a question about events may take, from when it was asked. */
  readonly reportMs?: number | undefined;
}

// Each is a process on the server, which is at its best with a few for each of its cores.
export const CONNECTIONS = 6;
const CONNECT_PATIENCE_MS = 3_000;
// Longer than any statement takes that stores or finds something: whatever does not come back by then is taken for lost.
const QUERY_PATIENCE_MS = 15_000;

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?|)$/i;

/** How the server is spoken to: as libpq's modes of these names, but that without one a far server must prove itself. */
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

/** A bigint is a number here: every one of ours is an id, a count or a time, far below 2⁵³. */
const BIGINT = 20;

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
    // A connection that nobody uses must not keep a process alive that has ended otherwise.
    allowExitOnIdle: true,
    application_name: "analytics-server",
    types: { getTypeParser: (oid: number, format?: "text" | "binary") => parserOf(oid, format) },
  };
}

function parserOf(oid: number, format: "text" | "binary" = "text") {
  return oid === BIGINT ? Number : pg.types.getTypeParser(oid, format as "text");
}

/** Where the database is, for people to read: without the password. */
export function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `postgres://${host}${pathname}`;
}
