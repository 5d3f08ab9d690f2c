import { BATCH, event, eventWithId } from "../bodies.ts";
import { eventsTable, rowOf } from "./events-table.ts";

// Inserts prepared rows into the same table, a thousand per transaction, without HTTP, JSON or validation. The parent
// sends a number of seconds, and receives the events per second.
const [path = "", ids] = process.argv.slice(2);
const { db, insert } = await eventsTable(path);
const make = ids === "ids" ? eventWithId : event;
const commit = db.transaction((rows: readonly ReturnType<typeof rowOf>[]) => {
  for (const row of rows) insert.run(...row);
});

function run(seconds: number): number {
  let rows = 0;
  let spent = 0;
  while (spent < seconds * 1000) {
    const batch = Array.from({ length: BATCH }, () => rowOf(make(), Date.now()));
    const startedAt = performance.now();
    commit(batch);
    spent += performance.now() - startedAt;
    rows += batch.length;
  }
  return (rows / spent) * 1000;
}

process.on("message", (seconds: number) => process.send?.(run(seconds)));
process.send?.("ready");
