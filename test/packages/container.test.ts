import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DockerfileParser, type Instruction } from "dockerfile-ast";
import { validate } from "dockerfile-utils";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { parse } from "yaml";
import { awaitOutput, freePort, stopChild } from "../bench/processes.ts";
import { ask, track } from "../end-to-end/client.ts";
import { countEvents, openFolder, testFolder } from "../end-to-end/servers.ts";
import { fetchNode, pathWith, plainVariables, runsReleases } from "./nodes.ts";

const run = promisify(execFile);
const deploy = fileURLToPath(new URL("../../deploy", import.meta.url));
const dockerfile = await readFile(join(deploy, "Dockerfile"), "utf8");
const instructions = DockerfileParser.parse(dockerfile).getInstructions();

const argumentsOf = (keyword: string): string[] =>
  instructions
    .filter((instruction) => instruction.getKeyword() === keyword)
    .map((instruction) => instruction.getArgumentsContent() ?? "");

test("the Dockerfile has no fault that a linter finds", () => {
  expect(validate(dockerfile).map(({ message }) => message)).toEqual([]);
});

test("the image runs Node 24 as another user than root, on a volume", () => {
  expect(argumentsOf("FROM").map((from) => from.split(" ")[0])).toEqual(
    Array(2).fill("node:24-bookworm-slim"),
  );
  expect([argumentsOf("USER"), argumentsOf("VOLUME")]).toEqual([["node"], ['["/data"]']]);
});

/** Carries out the steps of the Dockerfile in a folder, which takes the place of the root of both images. */
class Build {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #sources: string;
  #folder: string;

  constructor(root: string, sources: string) {
    this.root = root;
    this.#sources = sources;
    const prefix = join(root, "usr/local");
    this.env = {
      ...plainVariables(),
      npm_config_prefix: prefix,
      PATH: `${join(prefix, "bin")}:${pathWith("24")}`,
    };
    this.#folder = root;
  }

  /** Leads a path of the image into the folder. */
  inside(text: string): string {
    return text.replaceAll(/(^|[\s=])(\/(?:build|package|data)\b)/g, `$1${this.root}$2`);
  }

  async copy(words: readonly string[]): Promise<void> {
    const paths = [...words];
    const target = paths.pop() ?? "";
    // What one stage has made is in the folder already, which both share.
    if (paths[0]?.startsWith("/")) return;
    for (const path of paths) {
      const place = path === "." ? this.#folder : join(this.#folder, target, basename(path));
      const isKept = (file: string) => !/node_modules|[/\\]dist$/.test(file.slice(this.#sources.length));
      await cp(resolve(this.#sources, path), place, { recursive: true, filter: isKept });
    }
  }

  async step(instruction: Instruction): Promise<void> {
    const content = instruction.getArgumentsContent() ?? "";
    if (instruction.getKeyword() === "WORKDIR") {
      this.#folder = this.inside(content);
      await mkdir(this.#folder, { recursive: true });
    }
    if (instruction.getKeyword() === "COPY") await this.copy(content.split(/\s+/));
    if (instruction.getKeyword() === "RUN") {
      // The image's user is this one.
      const command = this.inside(content).replace(
        "node:node",
        `${process.getuid?.()}:${process.getgid?.()}`,
      );
      await run("sh", ["-c", command], { cwd: this.#folder, env: this.env });
    }
    if (instruction.getKeyword() === "ENV") {
      for (const [, name = "", value = ""] of content.matchAll(/(\w+)=(\S+)/g))
        this.env[name] = this.inside(value);
    }
  }
}

describe.skipIf(!runsReleases)("the steps of the Dockerfile", () => {
  let build: Build;

  beforeAll(async () => {
    const { folder, remove } = await openFolder();
    await fetchNode("24");
    build = new Build(folder, inject("project"));
    for (const instruction of instructions) await build.step(instruction);
    return remove;
  }, 400_000);

  test("install a program without keys of its own, which refuses an open server on every address", async () => {
    const env = { ...build.env, ANALYTICS_PORT: "0" };
    await expect(run("analytics-server", ["serve"], { cwd: build.root, env })).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("ANALYTICS_WRITE_KEYS"),
    });
  });

  test("and the command of compose.yaml serve, make keys once, and answer the health check", async ({
    onTestFinished,
  }) => {
    const data = await testFolder(onTestFinished);
    const { services } = parse(await readFile(join(deploy, "compose.yaml"), "utf8"));
    const [script = ""] = services.analytics.command;
    const port = await freePort();
    const env = {
      ...build.env,
      ANALYTICS_PORT: String(port),
      ANALYTICS_DATABASE: join(data, "analytics.db"),
    };
    const start = (): ChildProcess =>
      spawn("sh", ["-c", script.replaceAll("/data/", `${data}/`)], { cwd: data, env });

    const server = start();
    onTestFinished(() => stopChild(server));
    await awaitOutput(server, /listens on .+ It asks for keys/);
    const keys = await readFile(join(data, "keys.env"), "utf8");
    const [, key = ""] = /^ANALYTICS_WRITE_KEYS=(.+)$/m.exec(keys) ?? [];
    const url = `http://127.0.0.1:${port}`;
    expect((await track(url)).status).toBe(401);
    const body = JSON.stringify({ event_type: "click" });
    const headers = { "x-api-key": key, "content-type": "application/json" };
    expect((await ask(url, { method: "POST", path: "/apiv1/events", headers, body })).status).toBe(201);

    const [, , code = ""] = JSON.parse(
      /CMD (\[.+\])$/.exec(argumentsOf("HEALTHCHECK")[0] ?? "")?.[1] ?? "[]",
    );
    const check = (at: number) => run("node", ["-e", code.replace("20000", String(at))], { env });
    await check(port);
    await stopChild(server);
    await expect(check(port)).rejects.toMatchObject({ code: 1 });
    expect(countEvents(data)).toBe(1);

    const again = start();
    onTestFinished(() => stopChild(again));
    await awaitOutput(again, /listens on/);
    expect(await readFile(join(data, "keys.env"), "utf8")).toBe(keys);
  });
});

const analyze = "/usr/bin/systemd-analyze";

describe.skipIf(!existsSync(analyze))("the unit for systemd", () => {
  const unit = join(deploy, "analytics-server.service");

  test("has no fault", async () => {
    const { stdout, stderr } = await run(analyze, ["verify", unit]);
    expect([stdout, stderr]).toEqual(["", ""]);
  });

  test("leaves the server little that it could do to the machine", async () => {
    const { stdout } = await run(analyze, ["security", "--offline=true", unit]);
    const [, level = "10"] = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout) ?? [];
    expect(Number(level)).toBeLessThan(2);
  });
});
