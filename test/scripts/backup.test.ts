import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import Sqlite from "better-sqlite3";
import { afterAll, expect, test } from "vitest";
import { openSqlite } from "../../adapters/sqlite/storage.ts";
import { ask, track } from "../end-to-end/client.ts";
import { databaseIn, testFolder, testServer } from "../end-to-end/servers.ts";

const script = fileURLToPath(new URL("../../scripts/run.mjs", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "analytics-backup-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const command = (...args: string[]) =>
  promisify(execFile)(process.execPath, [script, ...args], { cwd: root });
const backup = (...args: string[]) => command("backup", ...args);
const restore = (...args: string[]) => command("restore", ...args);

let files = 0;
async function newDatabase(): Promise<string> {
  files += 1;
  const file = join(root, `${files}.db`);
  const storage = openSqlite(file);
  const event = { event_type: "click", session_id: null, properties: null, message_key: null };
  await storage.appendEvents([{ ...event, user_id: "ann", created_at: 0, occurred_at: 0 }]);
  await storage.close();
  return file;
}

/** Overwrites the root page of the events. */
function damageEvents(file: string): void {
  const db = new Sqlite(file, { readonly: true });
  const size = db.pragma("page_size", { simple: true }) as number;
  const select = db.prepare<[], number>("select rootpage from sqlite_schema where name = 'events'").pluck();
  const page = select.get() ?? 1;
  db.close();
  const bytes = readFileSync(file);
  bytes.fill(0xaa, (page - 1) * size, page * size);
  writeFileSync(file, bytes);
}

const refusedWith = (message: RegExp) => ({ code: 1, stderr: expect.stringMatching(message) });

test("a backup is one file readable by its owner only, with its contents reported", async () => {
  const [file, target] = [await newDatabase(), join(root, "backup-1.db")];
  const { stderr } = await backup(target, "--database", file);
  expect(stderr).toMatch(
    /Wrote .+backup-1\.db: 1 events and 0 experiments in \d+ bytes, checked, in [\d.]+ s\.\n$/,
  );
  expect(statSync(target).mode & 0o777).toBe(0o600);
  expect(readdirSync(root).filter((name) => name.startsWith("backup-1"))).toEqual(["backup-1.db"]);
});

test("a backup does not overwrite an existing file", async () => {
  const [file, target] = [await newDatabase(), join(root, "precious.db")];
  writeFileSync(target, "precious");
  await expect(backup(target, "--database", file)).rejects.toMatchObject(
    refusedWith(/exists and stays as it is/),
  );
  expect(statSync(target).size).toBe(8);
});

test("a damaged database is refused, and no file is left behind", async () => {
  const file = await newDatabase();
  damageEvents(file);
  await expect(backup(join(root, "never.db"), "--database", file)).rejects.toMatchObject(
    refusedWith(/malformed/),
  );
  expect(readdirSync(root).filter((name) => name.startsWith("never"))).toEqual([]);
});

test("the partial file of a killed backup is named in the refusal", async () => {
  const file = await newDatabase();
  writeFileSync(join(root, "killed.db.partial"), "");
  const refusal = refusedWith(/killed\.db\.partial is left of a copy/);
  await expect(backup(join(root, "killed.db"), "--database", file)).rejects.toMatchObject(refusal);
});

test.each([
  [
    "a PostgreSQL database is refused with the pg_dump command",
    ["b.db", "--database", "postgres://u:secret@h/d"],
    /pg_dump --format=custom --file=b\.db/,
  ],
  ["a missing database is refused", ["b.db", "--database", "none.db"], /There is no file none\.db/],
  [
    "a missing backup name is refused with the help",
    [],
    /Name one file[\s\S]+analytics-server backup <new file>/,
  ],
  [
    "an unknown option is refused with the help",
    ["b.db", "--databse", "x"],
    /Unknown option '--databse'[\s\S]+analytics-server backup/,
  ],
])("%s", async (_name, args, message) => {
  await expect(backup(...args)).rejects.toMatchObject(refusedWith(message));
});

test("a backup taken under load contains all events acknowledged before it, and can be restored", async ({
  onTestFinished,
}) => {
  const folder = await testFolder(onTestFinished);
  const server = await testServer(onTestFinished, folder);
  for (let stored = 0; stored < 20; stored += 1) expect((await track(server.url)).status).toBe(201);

  let loading = true;
  let acknowledged = 20;
  const load = Array.from({ length: 4 }, async () => {
    while (loading) if ((await track(server.url)).status === 201) acknowledged += 1;
  });
  const target = join(folder, "backup.db");
  await backup(target, "--database", databaseIn(folder));
  loading = false;
  await Promise.all(load);
  expect((await track(server.url, { after: "the backup" })).status).toBe(201);
  await server.stop();

  // Follows docs/operations.md: stop the server, remove its three files, restore the backup.
  for (const suffix of ["", "-wal", "-shm"]) await rm(databaseIn(folder) + suffix, { force: true });
  await restore(target, "--database", databaseIn(folder));
  const restored = await testServer(onTestFinished, folder);
  const { body } = await ask(restored.url, { path: "/apiv1/events/types" });
  const { types } = JSON.parse(body);
  expect(types).toHaveLength(1);
  expect(types[0].count).toBeGreaterThanOrEqual(20);
  expect(types[0].count).toBeLessThanOrEqual(acknowledged);
  expect((await track(restored.url)).status).toBe(201);
});

test("a restored database is readable by its owner only, in a folder that is made", async () => {
  const [file, target] = [await newDatabase(), join(root, "new", "restored.db")];
  await restore(file, "--database", target);
  expect(statSync(target).mode & 0o777).toBe(0o600);
  const storage = openSqlite(target);
  expect((await storage.eventTypes()).value.map(({ count }) => count)).toEqual([1]);
  await storage.close();
});

test("a restore replaces no file", async () => {
  const [file, target] = [await newDatabase(), join(root, "in-use.db")];
  writeFileSync(target, "precious");
  await expect(restore(file, "--database", target)).rejects.toMatchObject(
    refusedWith(/in-use\.db exists and stays as it is/),
  );
  expect(readFileSync(target, "utf8")).toBe("precious");
});

test("a restore refuses the log of an earlier database", async () => {
  const [file, target] = [await newDatabase(), join(root, "with-log.db")];
  writeFileSync(`${target}-wal`, "earlier");
  await expect(restore(file, "--database", target)).rejects.toMatchObject(
    refusedWith(/with-log\.db-wal belong to an earlier database/),
  );
  expect(readdirSync(root).filter((name) => name.startsWith("with-log"))).toEqual(["with-log.db-wal"]);
});

test("a file that is no database of this server is not restored", async () => {
  const other = join(root, "other.db");
  const db = new Sqlite(other);
  db.exec("create table notes(text)");
  db.close();
  await expect(restore(other, "--database", join(root, "never-2.db"))).rejects.toMatchObject(
    refusedWith(/other\.db is not a database of this server/),
  );
});
