import { type ChildProcess, execFile } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, inject, test } from "vitest";
import { awaitOutput, stopChild } from "../bench/processes.ts";
import {
  type Answer,
  ask,
  eventually,
  openConnection,
  parseAnswers,
  post,
  type RawConnection,
  track,
} from "./client.ts";
import {
  copyProject,
  countEvents,
  databaseIn,
  endingOf,
  LISTENING,
  plainServer,
  spawnOffline,
  spawnServe,
  spawnServerless,
  testFolder,
  testServer,
} from "./servers.ts";
import { unzip } from "./zip.ts";

const event = JSON.stringify({ event_type: "button_click" });

// The tests run concurrently, each with its own server and folder.
describe.concurrent("shutdown", () => {
  test.for(["SIGTERM", "SIGHUP"] as const)(
    "by %s finishes accepted requests, accepts no new ones and exits with 0",
    async (signal, { onTestFinished }) => {
      const folder = await testFolder(onTestFinished);
      const server = await testServer(onTestFinished, folder);
      const clients = await Promise.all(Array.from({ length: 20 }, () => beginEvent(server.url)));

      const ending = endingOf(server.process);
      server.process.kill(signal);
      await eventually(() => refusesConnections(server.url));
      for (const client of clients) client.send(event.slice(10));
      const answers = await Promise.all(clients.map(lastAnswer));

      expect(answers.map(({ status, headers }) => [status, headers.connection])).toEqual(
        Array(20).fill([201, "close"]),
      );
      expect((await ending).code).toBe(0);
      expect(countEvents(folder)).toBe(20);
    },
  );

  test("does not wait for idle connections", async ({ onTestFinished }) => {
    const server = await testServer(onTestFinished, await testFolder(onTestFinished));
    const idle = await openConnection(server.url);
    idle.send("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await idle.until(/"status":"ok"/);
    const startedAt = performance.now();
    await server.stop();
    expect(server.process.exitCode).toBe(0);
    // Much shorter than the time limit for requests in flight.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

/** A client that has sent half of an event, which the server is reading. */
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
  if (answer === undefined) throw new Error("The server sent no answer.");
  return answer;
}

async function refusesConnections(url: string): Promise<void> {
  const failure = await openConnection(url).then(
    ({ socket }) => {
      socket.destroy();
      throw new Error("The server still accepts connections.");
    },
    (error: NodeJS.ErrnoException) => error.code,
  );
  expect(failure).toBe("ECONNREFUSED");
}

describe.concurrent("startup", () => {
  test("without keys on every address is refused with the variables to set", async ({ onTestFinished }) => {
    const folder = await testFolder(onTestFinished);
    const { code, stdout, stderr } = await endingOf(spawnServe(folder, { ANALYTICS_HOST: "0.0.0.0" }));
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^Analytics Server did not start: .+\n$/);
    for (const name of ["ADMIN_KEYS", "WRITE_KEYS", "READ_KEYS", "HOST"]) {
      expect(stderr).toContain(`ANALYTICS_${name}`);
    }
  });

  test("by npm start is refused in the same way", async ({ onTestFinished }) => {
    const project = await copyProject(await testFolder(onTestFinished));
    const child = spawnOffline(project, { ANALYTICS_HOST: "0.0.0.0" });
    onTestFinished(() => stopChild(child));
    const { code, stdout, stderr } = await endingOf(child);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^Analytics Server did not start: .+ANALYTICS_ADMIN_KEYS.+\n$/);
  });

  test("with a misspelt setting is refused by both servers with the same message", async ({
    onTestFinished,
  }) => {
    const folder = await testFolder(onTestFinished);
    const misspelt = { ANALYTICS_ADMIN_KEY: "0123456789abcdef" };
    const project = await copyProject(folder);
    const children = [spawnServe(folder, misspelt), spawnOffline(project, misspelt)];
    for (const child of children) onTestFinished(() => stopChild(child));
    const stderr =
      "Analytics Server did not start: ANALYTICS_ADMIN_KEY is not a setting of this server: " +
      "did you mean ANALYTICS_ADMIN_KEYS?\n";
    expect(await Promise.all(children.map(endingOf))).toEqual(Array(2).fill({ code: 1, stdout: "", stderr }));
  });

  test("on a port in use is refused by both servers with the same message", async ({ onTestFinished }) => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    onTestFinished(() => void taken.close());
    const port = String((taken.address() as { port: number }).port);
    const folder = await testFolder(onTestFinished);
    const env = { ANALYTICS_PORT: port, ANALYTICS_DATABASE: databaseIn(folder) };
    const project = await copyProject(folder);
    const children = [spawnServe(folder, env), spawnOffline(project, env)];
    for (const child of children) onTestFinished(() => stopChild(child));
    const stderr =
      `Analytics Server did not start: 127.0.0.1:${port} is already in use: ` +
      "stop the other program, or set ANALYTICS_PORT to another port\n";
    expect(await Promise.all(children.map(endingOf))).toEqual(Array(2).fill({ code: 1, stdout: "", stderr }));
  });

  test.for<[string, (folder: string, env: Record<string, string>) => Promise<ChildProcess>]>([
    ["npm run serve", async (folder, env) => spawnServe(folder, env)],
    ["npm start", async (folder, env) => spawnOffline(await copyProject(folder), env)],
  ])(
    "by %s prints one line: the address, the dashboard, and whether keys are needed",
    async ([, spawn], { onTestFinished }) => {
      const keyed = { ANALYTICS_ADMIN_KEYS: "0123456789abcdef" };
      for (const [env, status, access] of [
        [{}, 200, "It is open to everybody on this machine: no keys are set."],
        [keyed, 401, "It asks for keys."],
      ] as const) {
        const folder = await testFolder(onTestFinished);
        const child = await spawn(folder, { ANALYTICS_LOG_LEVEL: "error", ...env });
        onTestFinished(() => stopChild(child));
        const ending = endingOf(child);
        const [, url = ""] = await awaitOutput(child, LISTENING);
        expect((await ask(url, { path: "/" })).status).toBe(200);
        expect((await ask(url, { path: "/apiv1/ab-tests" })).status).toBe(status);
        // A closed terminal (SIGHUP) stops the server as gracefully as Ctrl+C.
        child.kill("SIGHUP");
        expect(await ending).toEqual({
          code: 0,
          stdout: `Analytics Server listens on ${url}, with the dashboard at /. ${access}\n`,
          stderr: "",
        });
      }
    },
  );

  test("with a file that is not a database is refused, and leaves the file unchanged", async ({
    onTestFinished,
  }) => {
    const folder = await testFolder(onTestFinished);
    const letter = "Dear reader, this is a letter.".repeat(200);
    await writeFile(databaseIn(folder), letter);
    const { code, stderr } = await endingOf(spawnServe(folder));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Analytics Server did not start: ANALYTICS_DATABASE names .+not a database\n$/);
    expect(await readFile(databaseIn(folder), "utf8")).toBe(letter);
  });

  test("with a read-only file is refused, and works once the file is writable", async ({
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

/** Starts a server without the privileges of root, so that file permissions apply to it. */
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

describe.concurrent("slow and stuck clients", () => {
  test("do not delay other clients, and are disconnected", async ({ onTestFinished }) => {
    const server = await testServer(onTestFinished, await testFolder(onTestFinished));
    const stuck = await Promise.all(Array.from({ length: 30 }, () => openConnection(server.url)));
    const line = "POST /apiv1/events HTTP/1.1\r\nhost: localhost\r\n";
    for (const client of stuck.slice(0, 15)) client.send(line);
    for (const client of stuck.slice(15)) client.send(`${line}content-length: 1000\r\n\r\n{`);

    const answers = await Promise.all(Array.from({ length: 200 }, () => track(server.url)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(stuck.filter(({ socket }) => socket.readyState !== "open")).toEqual([]);

    // The time limit is ten seconds for headers and thirty for bodies.
    const [late] = parseAnswers(await (stuck[0] as RawConnection).rest());
    expect(late).toMatchObject({ status: 408, headers: { "content-type": "application/problem+json" } });
    expect(JSON.parse(late?.body ?? "")).toStrictEqual({
      type: "about:blank",
      title: "The request took too long to arrive",
      status: 408,
      detail: "The request did not arrive in time; nothing was stored. Send it again.",
      code: "timeout",
      errors: [],
    });
    const [lateBody] = parseAnswers(await (stuck[15] as RawConnection).rest());
    expect(lateBody).toMatchObject({ status: 408 });
    for (const { socket } of stuck) socket.destroy();
    expect((await track(server.url)).status).toBe(201);
  });

  test("26 stalled uploads do not block writes", async ({ onTestFinished }) => {
    const server = await testServer(onTestFinished, await testFolder(onTestFinished));
    const stalled = await Promise.all(Array.from({ length: 26 }, () => openConnection(server.url)));
    const head = "POST /apiv1/events/batch HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5242880\r\n\r\n";
    for (const client of stalled) client.send(head + " ".repeat(5_200_000));
    // Together they exceed the memory limit for bodies. The first refusal shows that the limit is reached.
    const refused = await Promise.any(stalled.map(lastAnswer));
    expect(refused).toMatchObject({ status: 503, headers: { connection: "close" } });
    const answers = await Promise.all(Array.from({ length: 100 }, () => track(server.url)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect((await post(server.url, "/apiv1/events/batch", Array(1_000).fill(JSON.parse(event)))).status).toBe(
      201,
    );
    for (const { socket } of stalled) socket.destroy();
  });

  test("5 KB that unpack to millions of lines are refused without delaying others", async ({
    onTestFinished,
  }) => {
    const server = await testServer(onTestFinished, await testFolder(onTestFinished));
    const headers = { "content-type": "application/x-ndjson", "content-encoding": "gzip" };
    const body = gzipSync("{\n".repeat(2_600_000));
    expect(body.byteLength).toBeLessThan(6_000);
    const path = "/apiv1/events/batch";
    const bombs = Array.from({ length: 10 }, () => ask(server.url, { method: "POST", path, headers, body }));
    const [refused, ...others] = await Promise.all([...bombs, track(server.url)]);
    expect(refused).toMatchObject({ status: 413 });
    expect(JSON.parse(refused?.body ?? "")).toMatchObject({
      code: "too_large",
      detail: "The batch has more than 2000 items: send at most 2000 at a time.",
    });
    expect(others.at(-1)?.status).toBe(201);
  });

  test("a flood of unknown paths of 15 KB writes little to the log", async ({ onTestFinished }) => {
    const server = await testServer(onTestFinished, await testFolder(onTestFinished));
    let logged = 0;
    for (const stream of [server.process.stdout, server.process.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        logged += chunk.byteLength;
      });
    }
    const path = `/${"x".repeat(15_000)}`;
    for (let n = 0; n < 10; n += 1) {
      const answers = await Promise.all(Array.from({ length: 100 }, () => ask(server.url, { path })));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]));
    }
    expect((await track(server.url)).status).toBe(201);
    // At most fifty lines per second of less than a kilobyte each, instead of 15 MB.
    expect(logged).toBeGreaterThan(1_000);
    expect(logged).toBeLessThan(1_000_000);
  });
});

describe.concurrent("behind a reverse proxy", () => {
  const write = "write-key-0123456789";
  const limited = { ANALYTICS_WRITE_KEYS: write, ANALYTICS_RATE_LIMIT: "0.001", ANALYTICS_RATE_BURST: "1" };

  /** Sends an event for each client through a proxy on this machine, and returns the statuses. */
  async function statusesFor({ url }: { url: string }, clients: readonly string[]): Promise<number[]> {
    const statuses: number[] = [];
    for (const client of clients) {
      const headers = { "x-forwarded-for": client, "x-api-key": write };
      statuses.push((await post(url, "/apiv1/events", { event_type: "a" }, headers)).status);
    }
    return statuses;
  }

  const clients = ["203.0.113.1", "203.0.113.1", "203.0.113.2", "198.51.100.1, 203.0.113.2"];

  test("each client of a trusted proxy has its own rate limit and cannot forge its address", async ({
    onTestFinished,
  }) => {
    const env = { ...limited, ANALYTICS_TRUSTED_PROXY: "127.0.0.1" };
    const server = await testServer(onTestFinished, await testFolder(onTestFinished), env);
    expect(await statusesFor(server, clients)).toEqual([201, 429, 201, 429]);
  });

  test("all clients of an untrusted proxy share a rate limit", async ({ onTestFinished }) => {
    const server = await testServer(onTestFinished, await testFolder(onTestFinished), limited);
    expect(await statusesFor(server, clients)).toEqual([201, 429, 429, 429]);
  });
});

describe.concurrent("packaging for AWS", () => {
  test("needs no credentials and packs no native module", async ({ onTestFinished }) => {
    const folder = await testFolder(onTestFinished);
    const project = await copyProject(folder);
    // No credentials in the environment or the home folder.
    const noCredentials = { HOME: folder, AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "", AWS_PROFILE: "" };
    const child = spawnServerless(project, ["package"], noCredentials);
    onTestFinished(() => stopChild(child));
    await awaitOutput(child, /Service packaged/);
    if (child.exitCode === null) await once(child, "exit");
    expect(child.exitCode).toBe(0);

    const names = unzip(join(project, ".serverless/analytics-server.zip"), join(folder, "unzipped"));
    expect(names).toContain("dist/lambda.mjs");
    expect(
      names.filter(
        (name) =>
          !/^dist\/(?:[\w-]+\.[cm]js|web\/[\w-]+\.(?:html|js|css|svg)|THIRD-PARTY-NOTICES\.txt)$/.test(name),
      ),
    ).toEqual([]);
  });
});
