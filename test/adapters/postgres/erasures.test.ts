import { afterAll, beforeAll } from "vitest";
import { erasureContract } from "../erasure-contract.ts";
import { createDatabases, type Databases } from "./databases.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "./server.ts";

let server: PostgresServer;
let databases: Databases;
beforeAll(async () => {
  server = await startPostgres(bundledPostgres(), { fsync: "off", max_connections: "100" });
  databases = createDatabases(server.url);
});
afterAll(async () => {
  await databases.close();
  await server.remove();
});

erasureContract("PostgreSQL", async () => databases.lend(), { runs: 20 });
