import pg from "pg";
import { afterAll, beforeAll, describe } from "vitest";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import type { Storage } from "../../../domain/storage.ts";
import { questionContract } from "../question-contract.ts";
import { EMPTY } from "./databases.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "./server.ts";

// Nothing here asks what a power failure leaves behind.
const fast = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };

describe("on PostgreSQL", () => {
  let server: PostgresServer;
  const free: string[] = [];
  beforeAll(async () => {
    server = await startPostgres(bundledPostgres(), fast);
  });
  afterAll(() => server.remove());

  /** Makes what was let go as good as new, which takes less time than a new database. */
  async function emptied(url: string): Promise<string> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(EMPTY).finally(() => client.end());
    return url;
  }

  async function open(): Promise<Storage> {
    const used = free.pop();
    const url = used === undefined ? await server.newDatabase() : await emptied(used);
    const storage = await openPostgres(url);
    const close = async (): Promise<void> => {
      await storage.close();
      free.push(url);
    };
    return { ...storage, close };
  }

  questionContract("PostgreSQL 18", open, { runs: 12 });
});
