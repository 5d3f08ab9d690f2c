import pg from "pg";
import { type ConnectionOptions, poolConfig } from "./connection.ts";
import { ConnectionLost, fromDriver } from "./failures.ts";
import { urlsOf } from "./hosts.ts";

/** Connections to a database on one host or several. */
export interface Connections {
  /**
   * A connection to the host that was last in use, or to the first of the others that can be reached and takes writes.
   * Rejects with the error of the last host.
   */
  connect(): Promise<pg.PoolClient>;
  close(): Promise<void>;
}

/** Refuses a server that takes no writes, such as a standby, while another host may be the primary. */
function verifyWritable(client: pg.PoolClient, done: (error?: Error) => void): void {
  client
    .query("show transaction_read_only")
    .then(
      ({ rows: [row] }) =>
        done(row?.transaction_read_only === "on" ? new ConnectionLost("the server is read-only") : undefined),
      done,
    );
}

export function openConnections(url: string, options: ConnectionOptions): Connections {
  const urls = urlsOf(url) ?? [url];
  const alone = urls.length === 1;
  const pools = urls.map((one) => {
    const config = poolConfig(one, options);
    return new pg.Pool(alone ? config : { ...config, verify: verifyWritable });
  });
  // A server that restarts ends its idle connections; the pool forgets them and opens others when they are needed.
  for (const pool of pools) pool.on("error", () => {});
  let current = 0;

  return {
    async connect() {
      const first = current;
      let failure: unknown;
      for (const offset of pools.keys()) {
        const at = (first + offset) % pools.length;
        try {
          const client = await pools[at]?.connect();
          current = at;
          if (client !== undefined) return client;
        } catch (error) {
          failure = fromDriver(error);
        }
      }
      throw failure;
    },
    close: async () => {
      await Promise.all(pools.map((pool) => pool.end()));
    },
  };
}
