import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import type { NewEvent } from "../../../domain/events/event.ts";
import type { Storage } from "../../../domain/storage.ts";
import { MAX_BATCH } from "../../../handlers/contract/batch.ts";
import { importRows } from "../../../scripts/import/importer.ts";
import type { Row } from "../../../scripts/import/rows.ts";
import { umami } from "../../../scripts/import/sources/umami.ts";
import { bundledPostgres, startPostgres } from "../../adapters/postgres/server.ts";

const folder = mkdtempSync(join(tmpdir(), "analytics-import-"));
const server = await startPostgres(bundledPostgres(), { fsync: "off" });
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server.remove();
});

/** Runs the program of the package. */
const call = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    const cli = join(inject("project"), "dist/cli.mjs");
    const child = execFile(
      process.execPath,
      [cli, "import", ...args],
      { cwd: folder, env: { PATH: process.env.PATH } },
      (_, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/imports/${name}`, import.meta.url));

const FIXTURES = [
  ["umami", ["umami.csv"], 3],
  ["plausible", ["plausible_pages.csv", "plausible_custom_events.csv"], 7],
  ["posthog", ["posthog.jsonl"], 4],
  ["matomo", ["matomo.json"], 7],
  ["ga4", ["ga4.jsonl"], 2],
] as const;

describe.each(["SQLite", "PostgreSQL"])("on %s", (engine) => {
  let database: string;
  let storage: Storage;

  beforeAll(async () => {
    database = engine === "SQLite" ? join(folder, "analytics.db") : await server.newDatabase();
    // Open while the command runs, as it is in a server.
    storage = await (engine === "SQLite" ? openSqlite(database) : openPostgres(database));
  });
  afterAll(() => storage.close());

  const stored = async (): Promise<number> => {
    const { value } = await storage.eventTypes();
    return value.reduce((sum, { count }) => sum + count, 0);
  };

  test.each(FIXTURES)(
    "an export of %s is stored once, however often it is imported",
    async (name, files, events) => {
      const before = await stored();
      const args = [name, ...files.map(fixture), "--database", database];
      const first = await call(...args);
      expect([first.code, await stored()]).toEqual([0, before + events]);
      const second = await call(...args);
      expect([second.code, await stored()]).toEqual([0, before + events]);
      expect(second.out).toMatch(/: 0 events of \d rows stored, \d events had been stored before/);
    },
  );
});

test("an import says what it stored, what it left out and where, and which fields it does not read", async () => {
  const file = fixture("umami.csv");
  const database = join(folder, "said.db");
  const { code, out, err } = await call("umami", file, "--database", database);
  expect([code, err]).toEqual([0, "90 %  umami.csv\n100 %  umami.csv\n"]);
  expect(out).toBe(`${file}: 3 events of 5 rows stored, 1 link of two ids.
Not imported:
  1 ×  event_type “3” is not imported (first in row 4)
  1 ×  timestamp must be ISO 8601 with a zone, as 2026-11-22T10:00:00.000Z, or milliseconds since 1970 (first in row 5)
Fields that are not imported: job_id, referrer_path, referrer_query
The events are in ${database}.
`);
});

test("a dry run says the same and opens no database", async () => {
  const database = join(folder, "dry.db");
  const { code, out } = await call("ga4", fixture("ga4.jsonl"), "--dry-run", "--database", database);
  expect(code).toBe(0);
  expect(out).toContain("2 events of 3 rows can be stored; nothing was stored.\n");
  expect(existsSync(database)).toBe(false);
});

test.each([
  [["gtm", "x.csv"], /^Name the product that the files come from: umami, plausible, posthog, matomo, ga4\./],
  [["umami"], /^Name the files to import\./],
  [["umami", "absent.csv"], /^There is no file absent\.csv\.\n$/],
  [["umami", "."], /^\. cannot be read: EISDIR/],
  [
    ["plausible", fixture("plausible_browsers.csv"), "--dry-run"],
    /has no events of Plausible\. Import this: imported_pages/,
  ],
])("import %j is refused with what to do", async (args, said) => {
  const { code, err } = await call(...args);
  expect([
    code,
    err
      .split("\n")
      .filter((line) => !/^\d+ % /.test(line))
      .join("\n"),
  ]).toEqual([1, expect.stringMatching(said)]);
});

/** Rows of an export of any length, and how many of them have been read. */
function manyRows(count: number) {
  const read = { rows: 0 };
  async function* rows(): AsyncGenerator<Row> {
    for (let row = 0; row < count; row++) {
      read.rows += 1;
      yield { fields: { event_type: "1", session_id: `s${row}`, created_at: "2024-03-15 10:00:00" } };
    }
  }
  return { read, rows: rows() };
}

test("no more rows are read ahead of the storage than one batch has", async () => {
  const storage = openSqlite(":memory:");
  const { read, rows } = manyRows(3 * MAX_BATCH + 1);
  let stored = 0;
  const ahead: number[] = [];
  const watched: Storage = {
    ...storage,
    async appendEvents<const T extends readonly NewEvent[]>(events: T) {
      ahead.push(read.rows - stored);
      stored += events.length;
      return storage.appendEvents(events);
    },
  };
  await importRows(rows, umami, { storage: watched, now: Date.now });
  expect(ahead).toEqual([MAX_BATCH, MAX_BATCH, MAX_BATCH, 1]);
  await storage.close();
});

test("an import that was interrupted stores only the rest when it is started again", async () => {
  const storage = openSqlite(":memory:");
  async function* interrupted(): AsyncGenerator<Row> {
    yield* manyRows(MAX_BATCH + 500).rows;
    throw new Error("interrupted");
  }
  const target = { storage, now: Date.now };
  await expect(importRows(interrupted(), umami, target)).rejects.toThrow("interrupted");
  expect(await importRows(manyRows(MAX_BATCH + 500).rows, umami, target)).toMatchObject({
    events: 500,
    duplicates: MAX_BATCH,
  });
  await storage.close();
});
