import pg from "pg";
import { afterAll, beforeAll } from "vitest";
import { verifyDatabase } from "../../../adapters/postgres/reports/verification.ts";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import { verificationContract } from "../verification-contract.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "./server.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres(bundledPostgres(), { fsync: "off" });
});
afterAll(() => server.remove());

verificationContract("PostgreSQL", async () => {
  const url = await server.newDatabase();
  return {
    open: (options) => openPostgres(url, options),
    async run(sql) {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query(sql).finally(() => client.end());
    },
    verify: () => verifyDatabase(url, {}, () => {}),
  };
});
