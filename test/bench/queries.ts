import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import Sqlite from "better-sqlite3";
import pg from "pg";
import { eventWithId } from "./bodies.ts";
import { AUTHORIZED, startAnalytics } from "./contenders/analytics-server.ts";
import { startPostgresServer } from "./contenders/postgres.ts";
import { type EventQuestion, eventQuestions } from "./event-questions.ts";
import { loadServer } from "./load.ts";
import { describeMachine } from "./machine.ts";
import { awaitOutput, inFolder, type RunningChild, spawnNode, stopChild } from "./processes.ts";
import { table } from "./report.ts";
import { percentile, type Sample, spreadOf } from "./samples.ts";

// Measures questions about millions of events through HTTP, compares them with raw SQL on the same rows and, on SQLite,
// with a copy of them in DuckDB, and measures the size of the rollups.
const { values: options } = parseArgs({
  options: {
    events: { type: "string", default: "10000000" },
    users: { type: "string", default: "200000" },
    engine: { type: "string", default: "sqlite" },
    /** A folder in which the database is kept for later runs. It is filled by the first one. */
    keep: { type: "string" },
    rounds: { type: "string", default: "50" },
  },
});
const FILL_TIMEOUT_MS = 3_600_000;
const RAW_ROUNDS = 3;
const WARM_UP_ROUNDS = 5;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const contender = (name: string): string => fileURLToPath(new URL(`contenders/${name}.mjs`, import.meta.url));

const engine = options.engine === "postgres" ? "postgres" : "sqlite";

async function fill(file: string): Promise<void> {
  const startedAt = performance.now();
  const child = spawnNode({ args: [contender("fill-events"), file, options.events, options.users] });
  child.stdout?.on("data", (chunk: Buffer) => process.stderr.write(chunk));
  const [, events] = await awaitOutput(child, /filled with (\d+) events/, FILL_TIMEOUT_MS);
  const seconds = (performance.now() - startedAt) / 1000;
  say(
    `Filled with ${events} events of ${options.users} users, ${Math.round(Number(events) / seconds)} per second.`,
  );
}

interface Timing {
  readonly p50: number;
  readonly p95: number;
  readonly source: string;
}

async function ask(
  { url }: RunningChild,
  { path, body }: EventQuestion,
): Promise<{ ms: number; source: string }> {
  const startedAt = performance.now();
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(url + path, {
    ...init,
    headers: { ...AUTHORIZED, "content-type": "application/json" },
  });
  const answer = (await response.json()) as { meta?: { source: string } };
  if (!response.ok || answer.meta === undefined)
    throw new Error(`${path} answered ${JSON.stringify(answer)}`);
  return { ms: performance.now() - startedAt, source: answer.meta.source };
}

async function time(server: RunningChild, question: EventQuestion): Promise<Timing> {
  let source = "";
  for (let round = 0; round < WARM_UP_ROUNDS; round++) source = (await ask(server, question)).source;
  const times: number[] = [];
  for (let round = 0; round < Number(options.rounds); round++) times.push((await ask(server, question)).ms);
  times.sort((a, b) => a - b);
  return { p50: percentile(times, 0.5), p95: percentile(times, 0.95), source };
}

/** Median time of each question's SQL in a contender, in milliseconds. */
async function timeSql(
  name: "raw-sql" | "raw-duckdb",
  args: readonly string[],
  questions: readonly EventQuestion[],
): Promise<number[]> {
  const child = fork(contender(name), args);
  await once(child, "message");
  const medians: number[] = [];
  for (const { sql, values } of questions) {
    const times: number[] = [];
    for (let round = 0; round < RAW_ROUNDS; round++) {
      child.send({ sql, values });
      times.push((await once(child, "message"))[0] as number);
    }
    medians.push(
      percentile(
        times.sort((a, b) => a - b),
        0.5,
      ),
    );
  }
  await stopChild(child);
  return medians;
}

/** Sizes of a database and of its rollups, in megabytes. */
interface Sizes {
  readonly all: number;
  readonly rollups: number;
}

function sizesOfFile(file: string): Sizes {
  const db = new Sqlite(file, { readonly: true });
  const sum = (where: string): number =>
    db
      .prepare<[], number>(
        `select coalesce(sum(pgsize), 0) / 1e6 from dbstat where aggregate = true and ${where}`,
      )
      .pluck()
      .get() ?? 0;
  const rollups = sum("name in (select name from sqlite_schema where tbl_name like 'event\\_%' escape '\\')");
  const all = sum("true");
  db.close();
  return { all, rollups };
}

async function sizesOfPostgres(url: string): Promise<Sizes> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<Sizes>(`
    select coalesce(sum(size), 0) / 1e6 as all, coalesce(sum(size) filter (where is_rollup), 0) / 1e6 as rollups
    from (
      select pg_total_relation_size(oid)::float8 as size, relname like 'event\\_%' and relname <> 'event_messages' as is_rollup
      from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
    ) as tables`);
  await client.end();
  return rows[0] ?? { all: 0, rollups: 0 };
}

const sizes = async (database: string): Promise<Sizes> =>
  engine === "postgres" ? sizesOfPostgres(database) : sizesOfFile(database);

const ms = (value: number): string => value.toFixed(value < 10 ? 2 : 0);

/** Times of other programs for the same question. */
interface Others {
  readonly raw: number;
  /** Absent on PostgreSQL. */
  readonly duckdb: number | undefined;
}

const factor = (value: number): string => `${value.toFixed(value < 1 ? 2 : 1)} ×`;

function row(
  { name, most: limits }: EventQuestion,
  { p50, p95, source }: Timing,
  { raw, duckdb }: Others,
): string[] {
  const most = limits[engine];
  const verdict = p95 <= most ? "reached" : "MISSED";
  const columns = duckdb === undefined ? [] : [ms(duckdb), factor(p50 / duckdb)];
  return [name, source, ms(p50), ms(p95), `≤ ${most}`, verdict, ms(raw), factor(p50 / raw), ...columns];
}

const LOADED_SECONDS = 4;
const LOADED_ROUNDS = 5;

/** Repeats a question until the returned function is called, which returns the number of answers. */
function askUntilStopped(server: RunningChild, question: EventQuestion): () => Promise<number> {
  let going = true;
  const asking = (async () => {
    let answers = 0;
    for (; going; answers++) await ask(server, question);
    return answers;
  })();
  return () => {
    going = false;
    return asking;
  };
}

/** Measures how much running reports slow down the storing of events, in alternating rounds on one server. */
async function measureDuringReports(server: RunningChild, funnel: EventQuestion): Promise<void> {
  const load = { path: "/apiv1/events", headers: AUTHORIZED, body: eventWithId };
  const alone: Sample[] = [];
  const loaded: Sample[] = [];
  let answers = 0;
  await loadServer(server, load, LOADED_SECONDS);
  for (let round = 0; round < LOADED_ROUNDS; round++) {
    alone.push(await loadServer(server, load, LOADED_SECONDS));
    const stop = askUntilStopped(server, funnel);
    loaded.push(await loadServer(server, load, LOADED_SECONDS));
    answers += await stop();
  }
  const p99 = (samples: readonly Sample[]): number => spreadOf(samples.map((sample) => sample.p99)).median;
  const rate = (samples: readonly Sample[]): string =>
    `${Math.round(spreadOf(samples.map((sample) => sample.rate)).median)}/s, p99 ${ms(p99(samples))} ms`;
  say(`\nStoring one event: ${rate(alone)} alone, ${rate(loaded)} during ${answers} funnels.`);
  say(`p99 during reports / alone: ${(p99(loaded) / p99(alone)).toFixed(2)} × (target < 1.5).`);
}

async function run(file: string): Promise<void> {
  const questions = eventQuestions(Date.now());
  const server = await startAnalytics(file);
  const timings: Timing[] = [];
  for (const question of questions) timings.push(await time(server, question));
  await measureDuringReports(
    server,
    questions.find(({ name }) => name.startsWith("funnel")) as EventQuestion,
  );
  await server.stop();
  const raw = await timeSql("raw-sql", [file], questions);
  const duckdb =
    engine === "postgres" ? undefined : await timeSql("raw-duckdb", [file, `${file}.duckdb`], questions);
  const head = ["question", "from", "median ms", "p95 ms", "target", "", "raw SQL ms", "ours / raw SQL"];
  const duckdbHead = duckdb === undefined ? [] : ["DuckDB ms", "ours / DuckDB"];
  say(
    table(
      [...head, ...duckdbHead],
      questions.map((question, index) =>
        row(question, timings[index] as Timing, { raw: raw[index] ?? Number.NaN, duckdb: duckdb?.[index] }),
      ),
    ),
  );
  const { all, rollups } = await sizes(file);
  const share = rollups / (all - rollups);
  say(
    `\n${all.toFixed(0)} MB, of which ${rollups.toFixed(0)} MB are rollups: ${(100 * share).toFixed(0)} % of the rest.`,
  );
}

async function runOnPostgres(folder: string): Promise<void> {
  const isNew = !existsSync(`${folder}/postgres`);
  const server = await startPostgresServer(folder);
  try {
    const url = isNew ? await server.newDatabase("queries") : server.urlOf("queries");
    if (isNew) await fill(url);
    await run(url);
  } finally {
    await server.stop();
  }
}

async function runOnSqlite(file: string): Promise<void> {
  if (!existsSync(file)) await fill(file);
  await run(file);
}

say(
  `${describeMachine({ rounds: Number(options.rounds), seconds: 0 })
    .slice(0, 2)
    .join("\n")}\n`,
);

const runIn = engine === "postgres" ? runOnPostgres : (folder: string) => runOnSqlite(`${folder}/queries.db`);
if (options.keep === undefined) await inFolder(runIn);
else {
  await mkdir(options.keep, { recursive: true });
  await runIn(options.keep);
}
process.exit(0);
