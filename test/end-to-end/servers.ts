import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { inject } from "vitest";
import { awaitOutput, spawnNode, stopChild } from "../bench/processes.ts";

type Variables = Record<string, string>;

/** A running server in a separate process. */
export interface TestServer {
  readonly url: string;
  readonly process: ChildProcess;
  /** Stops it with SIGTERM, and waits until the process has ended. */
  stop(): Promise<void>;
}

/** Starts the server with the database in a folder, which a restart reuses. */
export interface Starter {
  readonly name: string;
  start(folder: string, variables?: Variables): Promise<TestServer>;
}

export const databaseIn = (folder: string): string => join(folder, "analytics.db");

const asTestServer = (child: ChildProcess, url: string): TestServer => ({
  url,
  process: child,
  stop: () => stopChild(child),
});

/** The URL that a server prints when it has started. */
export const LISTENING = /(http:\/\/[\d.]+:\d+), with the dashboard/;

/** `node dist/serve.mjs`, as `npm run serve` starts it. It prints the address. */
export const plainServer: Starter = {
  name: "npm run serve",

  async start(folder, variables) {
    const child = spawnServe(folder, variables);
    const [, url = ""] = await awaitOutput(child, LISTENING);
    return asTestServer(child, url);
  },
};

/** The plain server as a process that may fail to start. */
export const spawnServe = (folder: string, variables: Variables = {}): ChildProcess =>
  spawnNode({
    args: [join(inject("project"), "dist/serve.mjs")],
    cwd: folder,
    env: { ANALYTICS_PORT: "0", ANALYTICS_DATABASE: databaseIn(folder), ...variables },
  });

/** Copies the project into a folder. */
export async function copyProject(folder: string): Promise<string> {
  const project = join(folder, "project");
  await rm(project, { recursive: true, force: true });
  await cp(inject("project"), project, { recursive: true, verbatimSymlinks: true });
  return project;
}

/** `npm start` in a copy of the project, on a free port. */
export const spawnOffline = (project: string, env: Variables = {}): ChildProcess =>
  spawnNode({
    args: [join(project, "scripts/start.mjs")],
    cwd: project,
    env: { ANALYTICS_PORT: "0", ...env },
  });

/** Runs a command of the serverless framework. */
export const spawnServerless = (
  project: string,
  args: readonly string[],
  env: Variables = {},
): ChildProcess =>
  spawnNode({
    args: [join(project, "node_modules/serverless/bin/serverless.js"), ...args],
    cwd: project,
    env,
  });

/**
 * `npm start`, which runs `serverless offline start`. It builds first, and replaces the dist/ that other servers may be
 * reading, so each server has its own copy of the project.
 */
export const offlineServer: Starter = {
  name: "npm start",

  async start(folder, variables) {
    const child = spawnOffline(await copyProject(folder), {
      ANALYTICS_DATABASE: databaseIn(folder),
      ...variables,
    });
    const [, url = ""] = await awaitOutput(child, LISTENING);
    return asTestServer(child, url);
  },
};

/** A temporary folder. The caller removes it. */
export async function openFolder(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "analytics-test-"));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

type Finish = (act: () => Promise<void>) => void;

/** An empty folder, removed after the test. */
export async function testFolder(onTestFinished: Finish): Promise<string> {
  const { folder, remove } = await openFolder();
  onTestFinished(remove);
  return folder;
}

/** A server, stopped after the test. */
export async function testServer(
  onTestFinished: Finish,
  folder: string,
  variables?: Variables,
  { start }: Starter = plainServer,
): Promise<TestServer> {
  const server = await start(folder, variables);
  onTestFinished(server.stop);
  return server;
}

/** The exit code and output of a process. */
export interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function endingOf(child: ChildProcess): Promise<Ending> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  // `close` fires after all output has been read, `exit` may fire earlier.
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

/** Counts the events of a database file. No server may be writing to it. */
export function countEvents(folder: string): number {
  const db = new Sqlite(databaseIn(folder), { readonly: true });
  try {
    return db.prepare<[], number>("select count(*) from events").pluck().get() ?? 0;
  } finally {
    db.close();
  }
}
