import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import Sqlite from "better-sqlite3";
import pg from "pg";
import { migrations as ofPostgres } from "../../adapters/postgres/migrations.ts";
import { openPostgres } from "../../adapters/postgres/storage.ts";
import { migrations as ofSqlite } from "../../adapters/sqlite/migrations.ts";
import { openSqlite } from "../../adapters/sqlite/storage.ts";
import type { Storage } from "../../domain/storage.ts";
import { startPostgresServer } from "./contenders/postgres.ts";
import { describeMachine } from "./machine.ts";
import { inFolder, ROOT, stopChild } from "./processes.ts";
import { table } from "./report.ts";
import { percentile } from "./samples.ts";

// Opens a database as it was before the rollups had a version, while another program inserts events: how long the opening
// takes, how long it keeps writes waiting, and how fast the rollups are rebuilt.
const { values: options } = parseArgs({
  options: { events: { type: "string", default: "3000000" }, engine: { type: "string", default: "sqlite" } },
});
const EVENTS = Number(options.events);
const USERS = 200_000;
const DAYS_MS = 90 * 86_400_000;
const FIRST_NEW = "0009_rollup_format";
const QUIET_MS = 5_000;
const MOST_OPENING_MS = 3_000;
const MOST_WRITE_MS = 100;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const before = <M extends { readonly name: string }>(migrations: readonly M[]): readonly M[] =>
  migrations.slice(
    0,
    migrations.findIndex(({ name }) => name === FIRST_NEW),
  );

const eventsOf = (series: string, random: (most: number) => string): string => `
  insert into events(id, event_type, user_id, session_id, properties, occurred_at)
  select i, case ${random(10)} when 0 then 'purchase' when 1 then 'add_to_cart' when 2 then 'search' else 'page_view' end,
    'user-' || ${random(USERS)}, 'session-' || i / 7, '{"plan":"' || case i % 3 when 0 then 'pro' else 'free' end || '","n":' || i % 50 || '}',
    ${Date.now() - DAYS_MS} + i * ${Math.floor(DAYS_MS / EVENTS)}
  from ${series}`;

/** A file with events, and with rollups that no version reads any more. */
function createFile(file: string): void {
  const db = new Sqlite(file);
  db.pragma("journal_mode = wal");
  db.exec("create table migrations(name text primary key, applied_at text not null) without rowid");
  for (const { name, sql } of before(ofSqlite)) {
    db.exec(sql);
    db.prepare("insert into migrations(name, applied_at) values (?, '')").run(name);
  }
  const numbers = `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${EVENTS})`;
  const insert = eventsOf("n", (most) => `abs(random()) % ${most}`);
  db.exec(`${numbers} ${insert}`);
  db.exec(`
    insert into event_types values (1, 'page_view', ${EVENTS}, 0, 0);
    ${numbers} insert into event_users select 'user-' || i, i from n where i <= ${USERS};
    ${numbers} insert into event_postings select i % 30, i, 0, 0, 0, randomblob(1000) from n where i <= ${EVENTS} / 150;
    ${numbers} insert into event_visitors select i % 30, i, 0, randomblob(500) from n where i <= ${EVENTS} / 150;`);
  // A server that ends leaves statistics behind.
  db.pragma("analysis_limit = 1000");
  db.exec("analyze");
  db.close();
}

async function fillDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    "create table migrations(name text primary key, applied_at timestamptz not null default now())",
  );
  for (const { name, sql } of before(ofPostgres)) {
    await client.query(sql);
    await client.query("insert into migrations(name) values ($1)", [name]);
  }
  await client.query(
    eventsOf(`generate_series(1::bigint, ${EVENTS}) as i`, (most) => `floor(random() * ${most})::int`),
  );
  await client.query(`select setval('event_ids', ${EVENTS} + 1000, false)`);
  await client.query("vacuum analyze events");
  await client.end();
}

const event = () => {
  const now = Date.now();
  return {
    event_type: "page_view",
    user_id: "user-1",
    session_id: null,
    properties: null,
    created_at: now,
    occurred_at: now,
    message_key: null,
  };
};

/** Stores an event every few milliseconds until the rollups are rebuilt, and returns how long each took. */
async function storeUntilRebuilt(storage: Storage): Promise<number[]> {
  const times: number[] = [];
  do {
    for (let turn = 0; turn < 20; turn++) {
      const startedAt = performance.now();
      await storage.appendEvents([event()]);
      times.push(performance.now() - startedAt);
      await sleep(5);
    }
  } while ((await storage.check()).rebuild !== undefined);
  return times;
}

const ms = (value: number): string => value.toFixed(value < 10 ? 1 : 0);

function writeRow(name: string, times: readonly number[], most?: number): string[] {
  const sorted = [...times].sort((a, b) => a - b);
  const longest = sorted.at(-1) ?? 0;
  const verdict = most === undefined ? "" : longest <= most ? "reached" : "MISSED";
  const limit = most === undefined ? "" : `≤ ${most}`;
  return [
    name,
    String(times.length),
    ms(percentile(sorted, 0.5)),
    ms(percentile(sorted, 0.99)),
    ms(longest),
    limit,
    verdict,
  ];
}

async function measure(database: string, open: () => Promise<Storage>): Promise<void> {
  const writer = fork(fileURLToPath(new URL("contenders/foreign-writer.mjs", import.meta.url)), [database]);
  await once(writer, "message");
  const timesSoFar = async (): Promise<number[]> => {
    writer.send("times");
    return (await once(writer, "message"))[0] as number[];
  };
  await sleep(QUIET_MS);
  const quiet = await timesSoFar();
  const startedAt = performance.now();
  const storage = await open();
  const opening = performance.now() - startedAt;
  // A write that waits for the opening ends after it.
  await sleep(200);
  const whileOpening = await timesSoFar();
  const own = await storeUntilRebuilt(storage);
  const seconds = (performance.now() - startedAt) / 1000;
  const whileRebuilding = await timesSoFar();
  await stopChild(writer);
  await storage.close();
  say(`Opened in ${ms(opening)} ms (target ≤ ${MOST_OPENING_MS}).`);
  say(
    `The rollups of ${EVENTS} events were rebuilt in ${seconds.toFixed(1)} s, ${Math.round(EVENTS / seconds)} per second.\n`,
  );
  say(
    table(
      ["writes", "number", "median ms", "p99 ms", "longest ms", "target", ""],
      [
        writeRow("another program, before", quiet),
        writeRow("another program, while opening", whileOpening, MOST_WRITE_MS),
        writeRow("another program, while rebuilding", whileRebuilding),
        writeRow("the server's own, while rebuilding", own),
      ],
    ),
  );
}

say(`${describeMachine({ rounds: 1, seconds: 0 }).slice(0, 2).join("\n")}\n`);
await inFolder(async (folder) => {
  if (options.engine === "postgres") {
    const server = await startPostgresServer(folder);
    try {
      const url = await server.newDatabase("upgrade");
      await fillDatabase(url);
      await measure(url, () => openPostgres(url));
    } finally {
      await server.stop();
    }
    return;
  }
  const file = `${folder}/upgrade.db`;
  createFile(file);
  await measure(file, async () =>
    openSqlite(file, { threadScript: new URL(`file://${ROOT}dist/sqlite-thread.mjs`) }),
  );
});
process.exit(0);
