import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Sqlite from "better-sqlite3";
import { afterAll, expect, test } from "vitest";
import { migrations } from "../../../adapters/sqlite/migrations.ts";
import { verifyFile } from "../../../adapters/sqlite/reports/verification.ts";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import { verifyTallies } from "../../../scripts/commands/verify-tallies.ts";
import { openEdge } from "../../world.ts";
import { expectToServe, ROWS_OF_EVERY_VERSION, VERSIONS_WITHOUT_CELLS } from "../upgrade-contract.ts";

const folder = mkdtempSync(join(tmpdir(), "analytics-versions-"));
afterAll(() => rmSync(folder, { recursive: true }));

const versions = migrations.map(({ name }, index) => ({ name, steps: migrations.slice(0, index + 1) }));

test.each(versions)("a file of the version $name is upgraded, served and right", async ({ name, steps }) => {
  const file = join(folder, `${name}.db`);
  const db = new Sqlite(file);
  db.exec("create table migrations(name text primary key, applied_at text not null) without rowid");
  for (const [index, step] of steps.entries()) {
    if (index === VERSIONS_WITHOUT_CELLS) db.exec(ROWS_OF_EVERY_VERSION);
    db.exec(step.sql);
    db.prepare("insert into migrations values (?, '2026-11-22')").run(step.name);
  }
  if (steps.length <= VERSIONS_WITHOUT_CELLS) db.exec(ROWS_OF_EVERY_VERSION);
  db.close();

  const storage = openSqlite(file);
  await expectToServe(storage);
  await storage.eventTypes();
  await storage.close();
  expect(await verifyFile(file, () => {})).toMatchObject({ events: 3, all: 0 });
});

const fixtures = fileURLToPath(new URL("../../fixtures/databases", import.meta.url));
const released = readdirSync(fixtures)
  .filter((name) => name.endsWith(".sql"))
  .map((name) => name.replace(".sql", ""));

test.each(released)(
  "a file that version %s has filled gives the answers of that version",
  async (version) => {
    const read = (extension: string): string =>
      readFileSync(join(fixtures, `${version}.${extension}`), "utf8");
    const file = join(folder, `released-${version}.db`);
    const db = new Sqlite(file);
    db.exec(read("sql"));
    db.close();

    const storage = openSqlite(file);
    const { send } = openEdge({}, { storage, now: Date.now });
    const answers: [string, object][] = Object.entries(JSON.parse(read("json")));
    for (const [path, answer] of answers) expect((await send({ path })).body, path).toMatchObject(answer);
    expect(await verifyTallies(storage, () => {})).toEqual([]);
    await storage.close();
    expect(await verifyFile(file, () => {})).toMatchObject({ all: 0 });
  },
);
