import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import { erasureContract } from "../erasure-contract.ts";

erasureContract("SQLite in memory", async () => openSqlite(":memory:"));
