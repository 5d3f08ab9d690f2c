import pg from "pg";
import { afterAll, beforeAll, describe } from "vitest";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import type { Storage } from "../../../domain/storage.ts";
import { foreignRows } from "../foreign-rows.ts";
import { questionContract } from "../question-contract.ts";
import { EMPTY } from "./databases.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "./server.ts";

// No test here simulates a power failure.
const fast = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };

describe("on PostgreSQL", () => {
  let server: PostgresServer;
  const free: string[] = [];
  beforeAll(async () => {
    server = await startPostgres(bundledPostgres(), fast);
  });
  afterAll(() => server.remove());

  /** Empties a database that a test has let go, which takes less time than a new one. */
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

  foreignRows("PostgreSQL", async (onRetry) => {
    const url = await server.newDatabase();
    const storage = await openPostgres(url, { onRetry });
    const execute = async (sql: string): Promise<void> => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query(sql).finally(() => client.end());
    };
    return { storage, execute };
  });
});
