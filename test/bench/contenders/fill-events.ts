import { setTimeout as sleep } from "node:timers/promises";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import { isPostgres } from "../../../adapters/setting-values.ts";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import type { NewEvent } from "../../../domain/events/event.ts";
import { demoEvents } from "../../../scripts/demo/story.ts";
import { ROOT } from "../processes.ts";

// Fills a database with the ninety days of the demo shop, through the storage port, because HTTP would be slower.
const BATCH_SIZE = 1_000;
const LANES = 4;
const PROGRESS_EVERY = 500_000;
const [path = "", events = "0", users = "0"] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const storage = isPostgres(path)
  ? await openPostgres(path)
  : openSqlite(path, { threadScript: new URL(`file://${ROOT}dist/sqlite-thread.mjs`) });
const storing = new Set<Promise<unknown>>();
let batch: NewEvent[] = [];
let stored = 0;

async function store(): Promise<void> {
  const stores = storage.appendEvents(batch).finally(() => storing.delete(stores));
  storing.add(stores);
  stored += batch.length;
  batch = [];
  if (storing.size >= LANES) await Promise.race(storing);
  if (stored % PROGRESS_EVERY === 0) say(`${stored} of ${events} events`);
}

const size = { seed: 1, now: Date.now(), events: Number(events), users: Number(users) };
for (const event of demoEvents(size)) {
  if (batch.push(event) === BATCH_SIZE) await store();
}
if (batch.length > 0) await store();
await Promise.all(storing);
const startedAt = performance.now();
while ((await storage.check()).rebuild !== undefined) await sleep(500);
await storage.eventTypes();
say(`the rollups contained every event ${Math.round(performance.now() - startedAt)} ms later`);
await storage.close();
say(`filled with ${stored} events`);
