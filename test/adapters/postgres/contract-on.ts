import pg from "pg";
import { afterAll, beforeAll } from "vitest";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import type { Storage } from "../../../domain/storage.ts";
import { cellsContract } from "../cells-contract.ts";
import { keptCellsContract } from "../kept-cells-contract.ts";
import { observationsContract } from "../observations-contract.ts";
import { storageContract } from "../storage-contract.ts";
import { EMPTY } from "./databases.ts";
import { type PostgresServer, startPostgres } from "./server.ts";

// No test of the contract simulates a power failure.
const fast = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };

async function run(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(text).finally(() => client.end());
}

/** A server between the storage and PostgreSQL. */
export interface Between {
  /** The URL of the same database, by way of this server. */
  through(url: string): string;
  remove(): Promise<void>;
}

/** Runs the contract of every storage on a PostgreSQL of these binaries. */
export function contractOn(
  name: string,
  binaries: string,
  start: (server: PostgresServer) => Promise<Between | undefined> = async () => undefined,
): void {
  let server: PostgresServer;
  let between: Between | undefined;
  const free: string[] = [];
  beforeAll(async () => {
    server = await startPostgres(binaries, fast);
    between = await start(server);
  });
  afterAll(async () => {
    await between?.remove();
    await server.remove();
  });

  /** An empty database. Creating one takes longer than most tests, so a database that was closed is emptied. */
  async function open(): Promise<Storage> {
    const used = free.pop();
    if (used !== undefined) await run(used, EMPTY);
    const url = used ?? (await server.newDatabase());
    const storage = await openPostgres(between?.through(url) ?? url);
    const close = async (): Promise<void> => {
      await storage.close();
      free.push(url);
    };
    return { ...storage, close };
  }

  storageContract(name, open);
  cellsContract(name, open);
  observationsContract(name, open);
  keptCellsContract(name, async () => {
    const url = await server.newDatabase();
    const through = between?.through(url) ?? url;
    return [await openPostgres(through), await openPostgres(through)];
  });
}
