import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import { storageContract } from "../storage-contract.ts";
import { bundledPostgres, installedPostgres15, type PostgresServer, startPostgres } from "./server.ts";

// Nothing here asks what a power failure leaves behind.
const fast = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres(bundledPostgres(), fast);
});
afterAll(() => server.remove());

storageContract("PostgreSQL 18", async () => openPostgres(await server.newDatabase()));
