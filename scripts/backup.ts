import { existsSync } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { isPostgres } from "../adapters/setting-values.ts";
import { readSettings } from "../adapters/settings.ts";
import { checkBackup, countsOf, readOnly, type TableCounts } from "./backup-check.ts";
import { parsedOptions, Refused, runScript, say } from "./command.ts";
import { progressBar } from "./progress.ts";

// Copies a database to one file while the server runs. `vacuum into` reads one snapshot from beginning to end; SQLite's
// page-wise backup starts again at every write, and never ends under load.

const HELP = `npm run backup copies the database to a new file, while the server runs, and checks the copy.

  npm run backup -- <new file> [--database <file>]     (default: ANALYTICS_DATABASE, else data/analytics.db)`;

const PRIVATE = 0o600;
const PROGRESS_EVERY_MS = 200;

interface Copy {
  readonly source: string;
  readonly partial: string;
}

function readOptions() {
  const options = { database: { type: "string" }, help: { type: "boolean" } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [target, ...more] = positionals;
  if (values.help) return { kind: "help" } as const;
  if (target === undefined || more.length > 0) throw new Error("Name one file to write the backup to.");
  return { kind: "backup", target, database: values.database ?? readSettings(process.env).database } as const;
}

function refuseUnlessPossible(source: string, target: string): void {
  if (isPostgres(source)) {
    throw new Refused(
      `This database is in PostgreSQL, which brings a program for backups:\n\n  pg_dump --format=custom --file=${target} 'postgres://…'\n\n` +
        "docs/operations.md says how to restore it.",
    );
  }
  if (!existsSync(source)) throw new Refused(`There is no file ${source}: name one with --database.`);
  if (existsSync(target)) throw new Refused(`${target} exists and stays as it is: name a new file.`);
}

/** Reserves the file that the copy is written to, readable by its owner only. */
async function reserve(partial: string): Promise<void> {
  try {
    await (await open(partial, "wx", PRIVATE)).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw refusedFor(error);
    throw new Refused(
      `${partial} is left of a backup that was ended: delete it, unless that one still runs.`,
    );
  }
}

const refusedFor = (error: unknown): Refused =>
  new Refused(error instanceof Error ? error.message : String(error));

/** Runs `vacuum into` on a thread, so that this one can show how far the file has grown. */
async function copy(task: Copy, bytes: number): Promise<void> {
  const show = progressBar("copied", bytes);
  const worker = new Worker(new URL(import.meta.url), { workerData: task });
  const timer = setInterval(async () => {
    const { size } = await stat(task.partial).catch(() => ({ size: 0 }));
    show(Math.min(size, bytes - 1));
  }, PROGRESS_EVERY_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      worker.once("message", (message: string) => reject(new Refused(message)));
      worker.once("error", reject);
      worker.once("exit", () => resolve());
    });
    show(bytes);
  } finally {
    clearInterval(timer);
  }
}

/** Bytes that the copy will have, or a little more. */
function sizeOf(source: string): number {
  const db = readOnly(source);
  try {
    const number = (pragma: string) => db.pragma(pragma, { simple: true }) as number;
    return (number("page_count") - number("freelist_count")) * number("page_size");
  } finally {
    db.close();
  }
}

async function synced(path: string): Promise<void> {
  const handle = await open(path, "r");
  await handle.sync().finally(() => handle.close());
}

/** Gives the file its name only when it is complete, checked and on the disk. */
async function publish(partial: string, target: string): Promise<void> {
  await synced(partial);
  if (existsSync(target)) throw new Refused(`${target} has been created meanwhile and stays as it is.`);
  await rename(partial, target);
  // Windows cannot open a directory.
  if (process.platform !== "win32") await synced(dirname(target));
}

function endWith(partial: string): () => void {
  const end = async (): Promise<void> => {
    await rm(partial, { force: true });
    process.exit(1);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.once(signal, end);
  return () => {
    for (const signal of signals) process.off(signal, end);
  };
}

async function copyAndCheck(source: string, partial: string): Promise<TableCounts> {
  const before = countsOf(source);
  await copy({ source, partial }, sizeOf(source));
  const after = countsOf(source);
  return checkBackup({ source, backup: partial, before, after });
}

async function backUp(source: string, target: string): Promise<void> {
  refuseUnlessPossible(source, target);
  const startedAt = performance.now();
  const partial = `${target}.partial`;
  await reserve(partial);
  const release = endWith(partial);
  try {
    const { events, ab_tests } = await copyAndCheck(source, partial);
    await publish(partial, target);
    const { size } = await stat(target);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    say(
      `Wrote ${target}: ${events} events and ${ab_tests} experiments in ${size} bytes, checked, in ${seconds} s.`,
    );
  } catch (error) {
    await rm(partial, { force: true });
    throw isExpected(error) ? refusedFor(error) : error;
  } finally {
    release();
  }
}

/** An error of SQLite or of the disk, which carry a code. */
const isExpected = (error: unknown): boolean => error instanceof Error && "code" in error;

/** Reports an error by its message: a thread does not keep the class of an error. */
function vacuumInto({ source, partial }: Copy): void {
  try {
    const db = readOnly(source);
    db.prepare("vacuum into ?").run(partial);
    db.close();
  } catch (error) {
    parentPort?.postMessage(error instanceof Error ? error.message : String(error));
  }
}

if (isMainThread) {
  await runScript(async () => {
    const options = parsedOptions(readOptions, HELP);
    if (options.kind === "help") say(HELP);
    else await backUp(options.database, options.target);
  });
} else {
  vacuumInto(workerData);
}
