import { setTimeout as sleep } from "node:timers/promises";
import Sqlite from "better-sqlite3";
import pg from "pg";
import { isPostgres } from "../../../adapters/setting-values.ts";

// Another program that inserts an event every few milliseconds. It answers each message with the times of its inserts since
// the one before, in milliseconds.
const [database = ""] = process.argv.slice(2);
const PAUSE_MS = 5;
const LOCK_WAIT_MS = 60_000;
const INSERT = "insert into events(event_type, user_id) values ('foreign', 'other program')";

async function inserter(): Promise<() => Promise<unknown>> {
  if (isPostgres(database)) {
    const client = new pg.Client({ connectionString: database });
    await client.connect();
    return () => client.query(INSERT);
  }
  const db = new Sqlite(database, { timeout: LOCK_WAIT_MS });
  const statement = db.prepare(INSERT);
  return async () => statement.run();
}

const insert = await inserter();
let times: number[] = [];
process.on("message", () => {
  process.send?.(times);
  times = [];
});
process.send?.("ready");
for (;;) {
  const startedAt = performance.now();
  await insert();
  times.push(performance.now() - startedAt);
  await sleep(PAUSE_MS);
}
