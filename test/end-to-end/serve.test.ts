import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import Sqlite from "better-sqlite3";
import { describe, expect, inject, test } from "vitest";
import { awaitOutput, freePort, spawnNode, stopChild } from "../bench/processes.ts";
import { type Answer, ask, eventually, openConnection, parseAnswers, post, type RawConnection } from "./client.ts";
import {
  copyProject,
  databaseIn,
  endingOf,
  plainServer,
  spawnServe,
  spawnServerless,
  testFolder,
  testServer,
} from "./servers.ts";

const run = promisify(execFile);

const event = JSON.stringify({ event_type: "button_click" });
const track = (url: string, properties = {}): Promise<Answer> =>
  post(url, "/apiv1/events", { event_type: "button_click", properties });

const summaryOf = ({ status, headers, body }: Answer) => ({
  status,
  type: headers["content-type"],
  retryAfter: headers["retry-after"],
  code: JSON.parse(body).code,
});

const UNAVAILABLE = {
  status: 503,
  type: "application/problem+json",
  retryAfter: "1",
  code: "unavailable",
};

/** How many events a file holds; nobody else may have it open for writing. */
function countEvents(folder: string): number {
  const db = new Sqlite(databaseIn(folder), { readonly: true });
  try {
    return db.prepare<[], number>("select count(*) from events").pluck().get() ?? 0;
  } finally {
    db.close();
  }
}

// Each has a server and a folder to itself: they wait for one another's start and patience at the same time.
describe.concurrent("stopping", () => {
  test("finishes what was accepted, takes nothing new, and ends with 0", async ({ onTestFinished }) => {
    const folder = await testFolder(onTestFinished);
    const server = await testServer(onTestFinished, folder);
    const clients = await Promise.all(Array.from({ length: 20 }, () => beginEvent(server.url)));

    const ending = endingOf(server.process);
    server.process.kill("SIGTERM");
    await eventually(() => refusesConnections(server.url));
    for (const client of clients) client.send(event.slice(10));
    const answers = await Promise.all(clients.map(lastAnswer));

    expect(answers.map(({ status, headers }) => [status, headers.connection])).toEqual(
      Array(20).fill([201, "close"]),
    );
    expect((await ending).code).toBe(0);
    expect(countEvents(folder)).toBe(20);
  });

  test("does not wait for idle connections", async ({ onTestFinished }) => {
    const server = await testServer(onTestFinished, await testFolder(onTestFinished));
    const idle = await openConnection(server.url);
    idle.send("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await idle.until(/"status":"ok"/);
    const startedAt = performance.now();
    await server.stop();
    expect(server.process.exitCode).toBe(0);
    // Far below the patience that it has with requests in flight.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

/** Half an event, of which the server has said that it is reading it. */
async function beginEvent(url: string): Promise<RawConnection> {
  const client = await openConnection(url);
  client.send(
    "POST /apiv1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" +
      `expect: 100-continue\r\ncontent-length: ${event.length}\r\n\r\n${event.slice(0, 10)}`,
  );
  await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
  return client;
}

async function lastAnswer(client: RawConnection): Promise<Answer> {
  const answer = parseAnswers(await client.rest()).at(-1);
  if (answer === undefined) throw new Error("there was no answer");
  return answer;
}

async function refusesConnections(url: string): Promise<void> {
  const failure = await openConnection(url).then(
    ({ socket }) => {
      socket.destroy();
      throw new Error("it still takes connections");
    },
    (error: NodeJS.ErrnoException) => error.code,
  );
  expect(failure).toBe("ECONNREFUSED");
}

describe.concurrent("mounted in another server, as the README shows", () => {
  test("answers on that server's port, beside its own routes", async ({ onTestFinished }) => {
    const folder = await testFolder(onTestFinished);
    const project = await copyProject(folder);
    const readme = await readFile(join(project, "README.md"), "utf8");
    const example = /^```js\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? "";
    expect(example).toContain('"data/analytics.db"');
    const port = await freePort();
    const own = `const yourOwn = (request, response) => response.end("own " + request.url);\n`;
    const host = join(project, "host.mjs");
    await writeFile(host, own + example.replace("20000", String(port)));

    const child = spawnNode({ args: [host], cwd: folder });
    onTestFinished(() => stopChild(child));
    const url = `http://127.0.0.1:${port}`;
    const health = await eventually(() => ask(url, { path: "/health" }));
    expect(JSON.parse(health.body)).toMatchObject({ status: "ok" });
    expect((await track(url)).status).toBe(201);
    expect((await ask(url, { path: "/apiv1/nothing" })).status).toBe(404);
    expect((await ask(url, { path: "/healthy?x" })).body).toBe("own /healthy?x");
    expect((await ask(url, { path: "/" })).body).toBe("own /");
  });
});

describe.concurrent("starting", () => {
  test("is refused on every address without keys, with the variables to set", async ({ onTestFinished }) => {
    const folder = await testFolder(onTestFinished);
    const { code, stdout, stderr } = await endingOf(spawnServe(folder, { ANALYTICS_HOST: "0.0.0.0" }));
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^Analytics Server did not start: .+\n$/);
    for (const name of ["ADMIN_KEYS", "WRITE_KEYS", "READ_KEYS", "HOST"]) {
      expect(stderr).toContain(`ANALYTICS_${name}`);
    }
  });

  test("is refused on a port that is taken, with the port", async ({ onTestFinished }) => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    onTestFinished(() => void taken.close());
    const port = String((taken.address() as { port: number }).port);
    const folder = await testFolder(onTestFinished);
    const { code, stderr } = await endingOf(spawnServe(folder, { ANALYTICS_PORT: port }));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Analytics Server did not start: .*already in use.*\n$/);
    expect(stderr).toContain(`127.0.0.1:${port}`);
  });

  test("is refused over a file that is no database, which stays as it is", async ({ onTestFinished }) => {
    const folder = await testFolder(onTestFinished);
    const letter = "Dear reader, this is a letter.".repeat(200);
    await writeFile(databaseIn(folder), letter);
    const { code, stderr } = await endingOf(spawnServe(folder));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Analytics Server did not start: ANALYTICS_DATABASE names .+not a database\n$/);
    expect(await readFile(databaseIn(folder), "utf8")).toBe(letter);
  });

  test("is refused over a file that may only be read, and works once it may be written", async ({
    onTestFinished,
  }) => {
    const folder = await testFolder(onTestFinished);
    const data = join(folder, "data");
    await mkdir(data);
    const file = join(data, "analytics.db");
    const before = await plainServer.start(folder, { ANALYTICS_DATABASE: file });
    expect((await track(before.url)).status).toBe(201);
    await before.stop();

    await chmod(file, 0o444);
    await chmod(data, 0o555);
    const { code, stderr } = await runObedient(folder, file);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Analytics Server did not start: ANALYTICS_DATABASE names .+read-?only.*\n$/);

    await chmod(data, 0o755);
    await chmod(file, 0o644);
    const after = await testServer(onTestFinished, folder, { ANALYTICS_DATABASE: file });
    expect(JSON.parse((await track(after.url)).body).id).toBe(2);
  });
});

/** Starts a server that keeps to the permissions of files, which nobody but root need not. */
function runObedient(folder: string, file: string) {
  if (process.getuid?.() !== 0) return endingOf(spawnServe(folder, { ANALYTICS_DATABASE: file }));
  const serve = join(inject("project"), "dist/serve.mjs");
  const child = execFile(
    "setpriv",
    ["--bounding-set=-dac_override,-dac_read_search", process.execPath, serve],
    { env: { PATH: process.env.PATH, ANALYTICS_PORT: "0", ANALYTICS_DATABASE: file } },
  );
  return endingOf(child);
}

describe.concurrent("while something is wrong with the storage, writes are refused and work resumes after", () => {
  test("another process holding the lock", async ({ onTestFinished }) => {
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

  test("a file that may not grow", { skip: process.platform !== "linux" }, async ({ onTestFinished }) => {
    const folder = await testFolder(onTestFinished);
    const server = await testServer(onTestFinished, folder);
    const limit = (bytes: number | "unlimited") =>
      run("prlimit", [`--pid=${server.process.pid}`, `--fsize=${bytes}:unlimited`]);
    const { size } = await stat(`${databaseIn(folder)}-wal`);

    await limit(size);
    const { refused, stored } = await fillUp(server.url);
    expect(summaryOf(refused)).toEqual(UNAVAILABLE);
    expect((await ask(server.url, { path: "/apiv1/ab-tests" })).status).toBe(200);

    await limit("unlimited");
    expect((await track(server.url)).status).toBe(201);
    await server.stop();
    expect(countEvents(folder)).toBe(stored + 1);
  });

  test("a full disk", { skip: !canMount() }, async ({ onTestFinished }) => {
    const folder = await testFolder(onTestFinished);
    const disk = join(folder, "disk");
    await mkdir(disk);
    await run("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk]);
    // Those that are registered later run earlier: the server is gone by then.
    onTestFinished(async () => void (await run("umount", [disk])));
    const server = await testServer(onTestFinished, folder, { ANALYTICS_DATABASE: databaseIn(disk) });
    const ballast = join(disk, "ballast");
    await fillDisk(ballast);

    const { refused, stored } = await fillUp(server.url);
    expect(summaryOf(refused)).toEqual(UNAVAILABLE);
    expect((await ask(server.url, { path: "/apiv1/ab-tests" })).status).toBe(200);

    await rm(ballast);
    expect((await track(server.url)).status).toBe(201);
    await server.stop();
    expect(countEvents(disk)).toBe(stored + 1);
  });

  test("a damaged page, also over a restart, which is refused", async ({ onTestFinished }) => {
    const folder = await testFolder(onTestFinished);
    const file = databaseIn(folder);
    const server = await testServer(onTestFinished, folder);
    expect((await track(server.url)).status).toBe(201);
    const page = findEvents(file);
    const whole = await overwrite(file, page, Buffer.alloc(page.size, 0xaa));
    forgetWhatWasRead(file);

    const refused = await track(server.url);
    expect(summaryOf(refused)).toEqual(UNAVAILABLE);
    expect(refused.body).not.toMatch(/malformed|sqlite|\.db/i);
    expect((await ask(server.url, { path: "/apiv1/openapi.json" })).status).toBe(200);
    await overwrite(file, page, whole);
    forgetWhatWasRead(file);
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

interface Page {
  readonly at: number;
  readonly size: number;
}

/** Where in the file the events begin; everything in its log is brought there first. */
function findEvents(file: string): Page {
  const db = new Sqlite(file);
  db.pragma("wal_checkpoint(truncate)");
  const root = db.prepare<[], number>("select rootpage from sqlite_schema where name = 'events'").pluck().get();
  const size = db.pragma("page_size", { simple: true }) as number;
  db.close();
  return { at: ((root ?? 1) - 1) * size, size };
}

/** A commit of somebody else, after which a process reads its pages anew. */
function forgetWhatWasRead(file: string): void {
  const db = new Sqlite(file);
  db.pragma("user_version = 1");
  db.close();
}

/** Replaces bytes within the file, and returns what was there. */
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
  throw new Error("there was room for everything");
}

describe.concurrent("slow and stuck clients", () => {
  test("cost nobody else anything, and are let go", async ({ onTestFinished }) => {
    const server = await testServer(onTestFinished, await testFolder(onTestFinished));
    const stuck = await Promise.all(Array.from({ length: 30 }, () => openConnection(server.url)));
    const line = "POST /apiv1/events HTTP/1.1\r\nhost: localhost\r\n";
    for (const client of stuck.slice(0, 15)) client.send(line);
    for (const client of stuck.slice(15)) client.send(`${line}content-length: 1000\r\n\r\n{`);

    const answers = await Promise.all(Array.from({ length: 200 }, () => track(server.url)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(stuck.filter(({ socket }) => socket.readyState !== "open")).toEqual([]);

    // Those that have not even sent their headers are let go after ten seconds; the others may take thirty.
    const [late] = parseAnswers(await (stuck[0] as RawConnection).rest());
    expect(late).toMatchObject({ status: 400, headers: { "content-type": "application/problem+json" } });
    for (const { socket } of stuck) socket.destroy();
    expect((await track(server.url)).status).toBe(201);
  });
});

/** The names in a zip, out of its central directory. */
function namesInZip(zip: Buffer): string[] {
  const names: string[] = [];
  const entry = Buffer.from("PK\x01\x02", "latin1");
  for (let at = zip.indexOf(entry); at >= 0; at = zip.indexOf(entry, at + 46)) {
    names.push(zip.toString("utf8", at + 46, at + 46 + zip.readUInt16LE(at + 28)));
  }
  return names;
}

describe.concurrent("packaging for AWS", () => {
  test("needs no credentials, and packs no native module", async ({ onTestFinished }) => {
    const folder = await testFolder(onTestFinished);
    const project = await copyProject(folder);
    // No credentials in the environment, nor in the home folder.
    const nobody = { HOME: folder, AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "", AWS_PROFILE: "" };
    const child = spawnServerless(project, ["package"], nobody);
    onTestFinished(() => stopChild(child));
    await awaitOutput(child, /Service packaged/);
    if (child.exitCode === null) await once(child, "exit");
    expect(child.exitCode).toBe(0);

    const names = namesInZip(await readFile(join(project, ".serverless/analytics-server.zip")));
    expect(names).toContain("dist/lambda.mjs");
    expect(names.filter((name) => !/^dist\/[\w/-]+\.mjs$/.test(name))).toEqual([]);
  });
});
