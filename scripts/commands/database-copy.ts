import { existsSync } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import { Refused, say } from "./command.ts";
import { checkBackup, countsOf, readOnly, type TableCounts } from "./copy-check.ts";
import type { CopyTask } from "./copy-thread.ts";
import { progressBar } from "./progress.ts";

// Copies a database to one new file, also while a server writes to it. `vacuum into` reads one snapshot from beginning to end; SQLite's
// page-wise backup starts again at every write, and never ends under load.

const PRIVATE = 0o600;
const PROGRESS_EVERY_MS = 200;
// Built next to the bundle that this file becomes part of.
const THREAD = new URL("./copy-thread.mjs", import.meta.url);

function refuseUnlessPossible(source: string, target: string): void {
  if (!existsSync(source)) throw new Refused(`There is no file ${source}: name another one.`);
  if (existsSync(target)) throw new Refused(`${target} exists and stays as it is: name a new file.`);
}

/** Reserves the file that the copy is written to, readable by its owner only. */
async function reserve(partial: string): Promise<void> {
  try {
    await (await open(partial, "wx", PRIVATE)).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw refusedFor(error);
    throw new Refused(`${partial} is left of a copy that was ended: delete it, unless that one still runs.`);
  }
}

const refusedFor = (error: unknown): Refused =>
  new Refused(error instanceof Error ? error.message : String(error));

/** Runs `vacuum into` on a thread, so that this one can show how far the file has grown. */
async function copy(task: CopyTask, bytes: number): Promise<void> {
  const show = progressBar("copied", bytes);
  const worker = new Worker(THREAD, { workerData: task });
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

/** Copies a SQLite file to a new one, checks the copy, and says what is in it. */
export async function copyDatabase(source: string, target: string): Promise<void> {
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
