import { type ChildProcess, execFile, execFileSync } from "node:child_process";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import Sqlite from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { type Answer, ask, track } from "./client.ts";
import { countEvents, databaseIn, endingOf, spawnServe, testFolder, testServer } from "./servers.ts";

const run = promisify(execFile);

const summaryOf = ({ status, headers, body }: Answer) => ({
  status,
  type: headers["content-type"],
  retryAfter: headers["retry-after"],
  code: JSON.parse(body).code,
});

const UNAVAILABLE = {
  status: 503,
  type: "application/problem+json",
  retryAfter: expect.stringMatching(/^[1-5]$/),
  code: "unavailable",
};

const health = async (url: string) => {
  const { status, body } = await ask(url, { path: "/health" });
  return { status, storage: JSON.parse(body).storage };
};

describe.concurrent("writes are refused during a storage failure, and accepted after it:", () => {
  test("another process holds the lock", async ({ onTestFinished }) => {
    const folder = await testFolder(onTestFinished);
    const server = await testServer(onTestFinished, folder);
    const other = new Sqlite(databaseIn(folder));
    onTestFinished(() => void other.close());

    other.exec("begin immediate");
    const [refused, health] = await Promise.all([track(server.url), ask(server.url, { path: "/health" })]);
    expect(summaryOf(refused)).toEqual(UNAVAILABLE);
    expect(health.status).toBe(200);

    const patient = track(server.url);
    other.exec("rollback");
    expect(JSON.parse((await patient).body)).toMatchObject({ success: true, id: 1 });
  });

  test("the file cannot grow", { skip: process.platform !== "linux" }, async ({ onTestFinished }) => {
    const folder = await testFolder(onTestFinished);
    const server = await testServer(onTestFinished, folder);
    const limit = (bytes: number | "unlimited") =>
      run("prlimit", [`--pid=${server.process.pid}`, `--fsize=${bytes}:unlimited`]);
    const { size } = await stat(`${databaseIn(folder)}-wal`);

    await limit(size);
    const { refused, stored } = await fillUp(server.url);
    expect(summaryOf(refused)).toEqual(UNAVAILABLE);
    expect((await ask(server.url, { path: "/apiv1/ab-tests" })).status).toBe(200);
    expect(await health(server.url)).toEqual({ status: 503, storage: "unavailable" });

    await limit("unlimited");
    expect(await health(server.url)).toEqual({ status: 200, storage: "ok" });
    expect((await track(server.url)).status).toBe(201);
    await server.stop();
    expect(countEvents(folder)).toBe(stored + 1);
  });

  test("the disk is full", { skip: !canMount() }, async ({ onTestFinished }) => {
    const folder = await testFolder(onTestFinished);
    const disk = join(folder, "disk");
    await mkdir(disk);
    await run("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk]);
    // Callbacks run in reverse order: the server has stopped before the disk is unmounted.
    onTestFinished(async () => void (await run("umount", [disk])));
    const server = await testServer(onTestFinished, folder, { ANALYTICS_DATABASE: databaseIn(disk) });
    const ballast = join(disk, "ballast");
    await fillDisk(ballast);

    const { refused, stored } = await fillUp(server.url);
    expect(summaryOf(refused)).toEqual(UNAVAILABLE);
    expect((await ask(server.url, { path: "/apiv1/ab-tests" })).status).toBe(200);
    expect(await health(server.url)).toEqual({ status: 503, storage: "full" });

    await rm(ballast);
    expect(await health(server.url)).toEqual({ status: 200, storage: "ok" });
    expect((await track(server.url)).status).toBe(201);
    await server.stop();
    expect(countEvents(disk)).toBe(stored + 1);
  });

  test("the file was moved and is moved back", async ({ expect, onTestFinished }) => {
    const folder = await testFolder(onTestFinished);
    const file = databaseIn(folder);
    const server = await testServer(onTestFinished, folder);
    const said = linesOf(server.process);
    expect((await track(server.url)).status).toBe(201);

    await rename(file, `${file}.old`);
    expect(summaryOf(await track(server.url))).toEqual(UNAVAILABLE);
    expect(await health(server.url)).toEqual({ status: 503, storage: "moved" });
    const isDeletedOrMoved = expect.stringContaining(`${file} was deleted or moved while the server runs.`);
    // The global expect forgets the test when another one of the concurrent tests ends.
    await expect
      .poll(said)
      .toContainEqual(expect.objectContaining({ level: "ERROR", message: isDeletedOrMoved }));

    await rename(`${file}.old`, file);
    expect((await track(server.url)).status).toBe(201);
    expect(await health(server.url)).toEqual({ status: 200, storage: "ok" });
    await server.stop();
    expect(countEvents(folder)).toBe(2);
  });

  test("the write-ahead log was deleted, and a restart loses no events", async ({ onTestFinished }) => {
    const folder = await testFolder(onTestFinished);
    const server = await testServer(onTestFinished, folder);
    for (let stored = 0; stored < 5; stored += 1) expect((await track(server.url)).status).toBe(201);
    await rm(`${databaseIn(folder)}-wal`);
    expect(summaryOf(await track(server.url))).toEqual(UNAVAILABLE);
    await server.stop();
    const after = await testServer(onTestFinished, folder);
    expect((await track(after.url)).status).toBe(201);
    await after.stop();
    expect(countEvents(folder)).toBe(6);
  });

  test("a page is damaged, which also prevents a restart", async ({ onTestFinished }) => {
    const folder = await testFolder(onTestFinished);
    const file = databaseIn(folder);
    const server = await testServer(onTestFinished, folder);
    expect((await track(server.url)).status).toBe(201);
    const page = findEvents(file);
    const whole = await overwrite(file, page, Buffer.alloc(page.size, 0xaa));
    invalidateCache(file);

    const refused = await track(server.url);
    expect(summaryOf(refused)).toEqual(UNAVAILABLE);
    expect(refused.body).not.toMatch(/malformed|sqlite|\.db/i);
    expect((await ask(server.url, { path: "/apiv1/openapi.json" })).status).toBe(200);
    await overwrite(file, page, whole);
    invalidateCache(file);
    expect((await track(server.url)).status).toBe(201);
    await server.stop();

    const stopped = await overwrite(file, page, Buffer.alloc(page.size, 0xaa));
    const { code, stderr } = await endingOf(spawnServe(folder));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Analytics Server did not start: ANALYTICS_DATABASE names .+malformed\n$/);
    await overwrite(file, page, stopped);
    const after = await testServer(onTestFinished, folder);
    expect((await track(after.url)).status).toBe(201);
    await after.stop();
    expect(countEvents(folder)).toBe(3);
  });
});

interface LogLine {
  readonly level: string;
  readonly message: string;
}

/** Collects the log of a server from now on. */
function linesOf({ stdout, stderr }: ChildProcess): () => LogLine[] {
  let text = "";
  for (const stream of [stdout, stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      text += chunk;
    });
  }
  return () =>
    text
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));
}

interface Page {
  readonly at: number;
  readonly size: number;
}

/** Locates the root page of the events in the file, after a checkpoint of the write-ahead log. */
function findEvents(file: string): Page {
  const db = new Sqlite(file);
  db.pragma("wal_checkpoint(truncate)");
  const root = db
    .prepare<[], number>("select rootpage from sqlite_schema where name = 'events'")
    .pluck()
    .get();
  const size = db.pragma("page_size", { simple: true }) as number;
  db.close();
  return { at: ((root ?? 1) - 1) * size, size };
}

/** Commits from another connection, so that the server discards its page cache. */
function invalidateCache(file: string): void {
  const db = new Sqlite(file);
  db.pragma("user_version = 1");
  db.close();
}

/** Overwrites a page of the file, and returns its previous bytes. */
async function overwrite(file: string, { at, size }: Page, bytes: Buffer): Promise<Buffer> {
  const handle = await open(file, "r+");
  const { buffer } = await handle.read(Buffer.alloc(size), 0, size, at);
  await handle.write(bytes, 0, size, at);
  await handle.close();
  return buffer;
}

function canMount(): boolean {
  try {
    execFileSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

async function fillDisk(file: string): Promise<void> {
  const ballast = await open(file, "w");
  try {
    for (;;) await ballast.write(Buffer.alloc(4096));
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC");
  } finally {
    await ballast.close();
  }
}

/** Stores events until one is refused. */
async function fillUp(url: string): Promise<{ refused: Answer; stored: number }> {
  for (let stored = 0; stored < 1_000; stored += 1) {
    const answer = await track(url, { filling: "x".repeat(4_000) });
    if (answer.status !== 201) return { refused: answer, stored };
  }
  throw new Error("No write was refused.");
}
