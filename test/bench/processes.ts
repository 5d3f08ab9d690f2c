import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. The bench starts in it. */
export const ROOT = `${process.cwd()}/`;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

/** A server in a separate process. */
export interface RunningChild {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

interface Command {
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
  readonly cwd?: string;
}

// Settings in the environment of the caller must not affect the measurements.
const plainEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("ANALYTICS_")));

/** Starts a Node process with piped output, which is killed when this process exits. */
export function spawnNode({ args, env, cwd = ROOT }: Command): ChildProcess {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...plainEnvironment(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

/** Waits until the output of a process matches `pattern`. Rejects if the process ends first, or after the timeout. */
export function awaitOutput(
  child: ChildProcess,
  pattern: RegExp,
  timeoutMs = START_TIMEOUT_MS,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let output = "";
    const fail = (reason: string): void =>
      reject(new Error(`${child.spawnargs.join(" ")} ${reason}:\n${output}`));
    const timer = setTimeout(() => fail("was not ready in time"), timeoutMs);
    const listen = (chunk: Buffer): void => {
      output += chunk.toString();
      const found = pattern.exec(output);
      if (found === null) return;
      clearTimeout(timer);
      resolve(found);
    };
    child.stdout?.on("data", listen);
    child.stderr?.on("data", listen);
    child.once("exit", (code) => {
      clearTimeout(timer);
      fail(`ended with ${code}`);
    });
  });
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const killer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
  clearTimeout(killer);
}

/** Starts a server that prints its URL. */
export async function startChild(command: Command): Promise<RunningChild> {
  const child = spawnNode(command);
  const [url] = await awaitOutput(child, /http:\/\/[\d.]+:\d+/);
  return { url, pid: child.pid ?? 0, stop: () => stopChild(child) };
}

/** Starts a program of contenders/. */
export const startContender = (name: string, ...args: string[]): Promise<RunningChild> =>
  startChild({ args: [fileURLToPath(new URL(`contenders/${name}.mjs`, import.meta.url)), ...args] });

/** Returns a port that is free at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

// Linux counts processor time in hundredths of a second.
const TICKS_PER_SECOND = 100;

/** CPU time that a process has used, in seconds. NaN if the system is not Linux. */
export function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return Number.NaN;
  }
}

/** Runs a function with a temporary folder, which is removed afterwards. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "analytics-bench-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
