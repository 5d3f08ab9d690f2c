import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll } from "vitest";
import { verifyFile } from "../../../adapters/sqlite/reports/verification.ts";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import { verificationContract } from "../verification-contract.ts";

const folder = mkdtempSync(join(tmpdir(), "analytics-verification-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;

verificationContract("SQLite", async () => {
  files += 1;
  const file = join(folder, `${files}.db`);
  return {
    open: async (options) => openSqlite(file, options),
    async run(sql) {
      const db = new Sqlite(file);
      db.exec(sql);
      db.close();
    },
    verify: async () => verifyFile(file, () => {}),
  };
});
