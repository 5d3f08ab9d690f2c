import pg from "pg";
import { afterAll, beforeAll, describe } from "vitest";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import type { Storage } from "../../../domain/storage.ts";
import { storageContract } from "../storage-contract.ts";
import { EMPTY } from "./databases.ts";
import { bundledPostgres, installedPostgres15, type PostgresServer, startPostgres } from "./server.ts";

// Nothing here asks what a power failure leaves behind.
const fast = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };

async function run(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(text).finally(() => client.end());
}

function contractOn(name: string, binaries: string): void {
  let server: PostgresServer;
  const free: string[] = [];
  beforeAll(async () => {
    server = await startPostgres(binaries, fast);
  });
  afterAll(() => server.remove());

  /** An empty database; to make one takes longer than most tests, so that one which was let go is emptied. */
  async function open(): Promise<Storage> {
    const used = free.pop();
    if (used !== undefined) await run(used, EMPTY);
    const url = used ?? (await server.newDatabase());
    const storage = await openPostgres(url);
    const close = async (): Promise<void> => {
      await storage.close();
      free.push(url);
    };
    return { ...storage, close };
  }

  storageContract(name, open);
}

describe("the contract", () => contractOn("PostgreSQL 18", bundledPostgres()));

// PostgreSQL 15 is the oldest one that is promised; it is tried where somebody has installed it.
const oldest = installedPostgres15();
describe.skipIf(oldest === undefined)("the contract", () => contractOn("PostgreSQL 15", oldest ?? ""));
