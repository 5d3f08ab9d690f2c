import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { databaseUser, freePort } from "./server.ts";

/** PgBouncer in transaction mode, in front of one PostgreSQL. */
export interface Pooler {
  /** The URL of the same database, by way of the pooler. */
  through(url: string): string;
  /** Ends it as a failing machine would. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  /** Ends it, and removes its folder. */
  remove(): Promise<void>;
}

const START_PATIENCE_MS = 20_000;

/** The program; undefined where it is not installed. */
export function installedPgbouncer(): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, "pgbouncer")).find((program) => existsSync(program));
}

const canConnect = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.end());
  });

async function listening(port: number): Promise<void> {
  const deadline = Date.now() + START_PATIENCE_MS;
  while (!(await canConnect(port))) {
    if (Date.now() > deadline) throw new Error("PgBouncer did not start");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export async function startPooler(program: string, server: string): Promise<Pooler> {
  const folder = mkdtempSync(join(tmpdir(), "analytics-pooler-"));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const file = join(folder, "pgbouncer.ini");
  writeFileSync(
    file,
    `[databases]
* = host=127.0.0.1 port=${new URL(server).port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 500
`,
  );
  let child: ChildProcess | undefined;
  const killAtExit = (): void => void child?.kill("SIGKILL");
  process.once("exit", killAtExit);

  async function start(): Promise<void> {
    child = spawn(program, ["-q", file], { ...databaseUser(), cwd: folder, stdio: "ignore" });
    await listening(port);
  }

  async function kill(): Promise<void> {
    if (child === undefined) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    child = undefined;
  }

  await start();
  return {
    start,
    kill,
    through(url) {
      const address = new URL(url);
      address.port = String(port);
      return address.href;
    },
    async remove() {
      await kill();
      process.off("exit", killAtExit);
      rmSync(folder, { recursive: true });
    },
  };
}
