import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, inject } from "vitest";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import { erasureContract } from "../erasure-contract.ts";

const folder = mkdtempSync(join(tmpdir(), "analytics-erasures-"));
afterAll(() => rmSync(folder, { recursive: true }));

const threadScript = pathToFileURL(join(inject("project"), "dist/sqlite-thread.mjs"));
let files = 0;

erasureContract("SQLite in memory", async () => openSqlite(":memory:"));
erasureContract(
  "SQLite on threads",
  async () => {
    files += 1;
    return openSqlite(join(folder, `${files}.db`), { threadScript });
  },
  { runs: 5 },
);
