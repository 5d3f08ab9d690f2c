import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrations } from "../../adapters/postgres/migrations.ts";
import { openPostgres } from "../../adapters/postgres/storage.ts";
import { ExperimentInput, newExperiment } from "../../domain/experiments/experiment.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "../adapters/postgres/server.ts";
import type { Report, Task } from "./worker.ts";

const PROCESSES = 8;
// Runs at a fifth of the size to save time, unless FULL_SIZE=1 is set.
const share = process.env.FULL_SIZE === undefined ? 0.2 : 1;
// One third of the events are duplicates.
const SIZE = {
  users: 2_000 * share,
  assigns: 20_000 * share,
  tracks: 20_000 * share,
  events: 120_000 * share,
};

const folder = mkdtempSync(join(tmpdir(), "analytics-processes-"));
const worker = join(folder, "worker.mjs");
let server: PostgresServer;

beforeAll(async () => {
  // Syncs every commit, as in production, because acknowledged rows must survive the crash of the database server.
  server = await startPostgres(bundledPostgres());
  await build({
    entryPoints: [fileURLToPath(new URL("worker.ts", import.meta.url))],
    outfile: worker,
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["pg-native"],
    banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
    logLevel: "error",
  });
});

afterAll(async () => {
  await server.remove();
  rmSync(folder, { recursive: true, force: true });
});

type Done = Extract<Report, { kind: "done" }>;

interface Process {
  readonly ready: Promise<unknown>;
  readonly done: Promise<Done>;
  start(task: Task): void;
}

function startProcess(url: string, onProgress: (acts: number) => void): Process {
  const child: ChildProcess = fork(worker, [url], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const done = new Promise<Done>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`A process ended with ${code}.`)));
    child.on("message", (report: Report) => {
      if (report.kind === "progress") onProgress(report.acts);
      if (report.kind === "done") resolve(report);
    });
  });
  done.catch(() => {});
  return {
    ready: Promise.race([once(child, "message"), done]),
    done,
    start: (task) => void child.send(task),
  };
}

async function rowsOf<Row extends object>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows as Row[];
  } finally {
    await client.end();
  }
}

// Computes the tallies from the raw rows.
const RECOMPUTED = `
  with per_user as (
    select m.variant_id, m.user_id, count(*) as count, sum(m.value::numeric) as sum from ab_metrics m group by 1, 2
  )
  select variant_id, sum(count)::int as count, sum(sum)::float8 as sum, count(*)::int as users,
    sum(sum * sum)::float8 as squares
  from per_user group by 1 order by 1`;

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

test("eight processes lose nothing, store nothing twice and agree on every assignment while PostgreSQL crashes and restarts", async () => {
  const url = await server.newDatabase();
  const acts = SIZE.assigns + SIZE.tracks + SIZE.events / 100;
  let progress = 0;
  let crash: Promise<void> | undefined;
  const onProgress = (some: number): void => {
    progress += some;
    if (progress > acts * 0.4) crash ??= server.crash().then(server.start);
  };
  // All processes find an empty database and run the migrations at the same time.
  const processes = Array.from({ length: PROCESSES }, () => startProcess(url, onProgress));
  await Promise.all(processes.map(({ ready }) => ready));
  const applied = await rowsOf<{ name: string }>(url, "select name from migrations order by name");
  expect(applied.map(({ name }) => name)).toEqual(migrations.map(({ name }) => name));

  const storage = await openPostgres(url);
  const input = { test_name: "t", variants: [{ variant_name: "red" }, { variant_name: "blue" }] };
  const experiment = await storage.createExperiment(newExperiment(ExperimentInput.parse(input), "salt", 0));
  const [red = 0, blue = 0] = experiment?.variants.map(({ id }) => id) ?? [];
  const test_id = experiment?.id ?? 0;
  for (const [index, { start }] of processes.entries()) {
    start({
      worker: index,
      test_id,
      variants: [red, blue],
      users: SIZE.users,
      assigns: SIZE.assigns / PROCESSES,
      tracks: SIZE.tracks / PROCESSES,
      events: SIZE.events / PROCESSES,
    });
  }
  const reports = await Promise.all(processes.map(({ done }) => done));
  expect(crash).toBeDefined();
  await crash;

  // Assignments: the stored variant is the one that every process received.
  const assigned = await rowsOf<{ user_id: string; variant_id: string }>(
    url,
    "select user_id, variant_id from ab_assignments",
  );
  const stored = Object.fromEntries(assigned.map(({ user_id, variant_id }) => [user_id, Number(variant_id)]));
  expect(assigned).toHaveLength(SIZE.users);
  for (const { variants, contradictions } of reports) {
    expect(contradictions).toBe(0);
    expect(stored).toMatchObject(variants);
  }

  // Events and values: each keyed message is stored once, and each value without a key once per acknowledgement.
  const total = (field: Exclude<keyof Done, "kind" | "variants">) => sumOf(reports.map((one) => one[field]));
  const [{ events, messages, values } = { events: 0, messages: 0, values: 0 }] = await rowsOf<{
    events: number;
    messages: number;
    values: number;
  }>(
    url,
    `select (select count(*)::int from events) as events, (select count(distinct message_id)::int from events) as messages,
      (select count(*)::int from ab_metrics) as values`,
  );
  expect(events).toBe(messages);
  expect(total("storedEvents") + total("duplicateEvents")).toBe(SIZE.events);
  expect(total("storedValues") + total("duplicateValues")).toBe(SIZE.tracks);
  if (total("refused") === 0) {
    expect([events, values]).toEqual([total("storedEvents"), total("storedValues")]);
  }

  // The cells that results are computed from equal the sums of the raw rows.
  const recomputed = await rowsOf<{
    variant_id: string;
    count: number;
    sum: number;
    users: number;
    squares: number;
  }>(url, RECOMPUTED);
  const { cells = [] } = (await storage.experimentCells(test_id)) ?? {};
  expect(sumOf(cells.map(({ users }) => users))).toBe(SIZE.users);
  expect(
    cells.map(({ variant_id, metrics: [metric] }) => ({
      variant_id: String(variant_id),
      count: metric?.count,
      sum: metric?.y.high,
      users: metric?.users_with_value,
      squares: metric?.yy.high,
    })),
  ).toEqual(recomputed);
  await storage.close();
}, 300_000);
