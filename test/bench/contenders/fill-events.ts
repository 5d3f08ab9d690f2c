import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import type { NewEvent } from "../../../domain/events/event.ts";
import { demoEvents } from "../../../scripts/demo/story.ts";
import { ROOT } from "../processes.ts";

// Fills a file with a product's ninety days, through the storage port, which HTTP would only slow down.
const AT_ONCE = 2_000;
const SAY_EVERY = 500_000;
const [path = "", events = "0", users = "0"] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const storage = openSqlite(path, { threadScript: new URL(`file://${ROOT}dist/sqlite-thread.mjs`) });
let batch: NewEvent[] = [];
let stored = 0;

async function store(): Promise<void> {
  await storage.appendEvents(batch);
  stored += batch.length;
  batch = [];
  if (stored % SAY_EVERY === 0) say(`${stored} of ${events} events`);
}

const size = { seed: 1, now: Date.now(), events: Number(events), users: Number(users) };
for (const event of demoEvents(size)) {
  if (batch.push(event) === AT_ONCE) await store();
}
if (batch.length > 0) await store();
// Whoever asks makes sure that all have been counted.
await storage.eventTypes();
await storage.close();
say(`filled with ${stored} events`);
