import { afterAll, beforeAll } from "vitest";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import { expiryContract, type Reopen } from "../expiry-contract.ts";
import { keptCountsContract } from "../kept-counts-contract.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "./server.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres(bundledPostgres(), { fsync: "off" });
});
// Each history has left a database.
afterAll(() => server.remove(), 300_000);

const place = async (): Promise<Reopen> => {
  const url = await server.newDatabase();
  return (options) => openPostgres(url, { connections: 3, ...options });
};
// Each history has a database of its own, which takes a second to create.
const FEW = { runs: 12 };
expiryContract("PostgreSQL", place, FEW);
keptCountsContract("PostgreSQL", place, FEW);
