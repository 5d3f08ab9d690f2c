import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openSqlite } from "../../adapters/sqlite/storage.ts";
import type { NewEvent } from "../../domain/events/event.ts";
import { messageKey } from "../../domain/events/message-id.ts";
import { returningUserEvent } from "./bodies.ts";
import { AUTHORIZED, startAnalytics } from "./contenders/analytics-server.ts";
import { type Load, loadServer } from "./load.ts";
import { describeMachine } from "./machine.ts";
import { awaitOutput, inFolder, type RunningChild, spawnNode } from "./processes.ts";
import { type Sample, spreadOf } from "./samples.ts";

// Measures how long it takes to erase users with thousands of events among millions, and what that, and the removal of old
// events, does to clients that store events meanwhile.
const { values: options } = parseArgs({
  options: {
    events: { type: "string", default: "10000000" },
    users: { type: "string", default: "200000" },
    own: { type: "string", default: "5000" },
    seconds: { type: "string", default: "10" },
    /** Requests a second: fewer than the server can take, so that the waits are those that the other work causes. */
    rate: { type: "string", default: "500" },
    connections: { type: "string", default: "16" },
    /** A file of an earlier run, or a place for one. Without it the file is made and deleted. */
    file: { type: "string" },
  },
});
const DAY = 86_400_000;
const DAYS = 90;
const ERASED = 6;
// Half of the events are due, more than are removed while it is measured.
const KEEP_DAYS = DAYS / 2;
const run = Date.now();
const seconds = Number(options.seconds);
const own = Number(options.own);
const TARGET = "target: at most 1,000 ms";
const BATCH = 1_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const contender = (name: string): string => fileURLToPath(new URL(`contenders/${name}.mjs`, import.meta.url));

async function fill(file: string): Promise<void> {
  const child = spawnNode({ args: [contender("fill-events"), file, options.events, options.users] });
  await awaitOutput(child, /filled with (\d+) events/, 3_600_000);
}

const nameOf = (user: number): string => `erased ${run} ${user}`;

function eventOf(user: number, n: number): NewEvent {
  const occurred_at = Math.floor(run - DAYS * DAY + (n * DAYS * DAY) / own);
  return {
    event_type: n % 4 === 0 ? "purchase" : "page_view",
    user_id: nameOf(user),
    session_id: null,
    properties: JSON.stringify({ plan: "pro", path: `/${n % 20}` }),
    created_at: occurred_at,
    occurred_at,
    message_key: messageKey(`${nameOf(user)} ${n}`),
  };
}

/** Users whose events are spread over the whole time. */
async function addUsers(file: string): Promise<void> {
  const storage = openSqlite(file);
  for (let user = 0; user < ERASED; user += 1) {
    for (let from = 0; from < own; from += BATCH) {
      const length = Math.min(BATCH, own - from);
      await storage.appendEvents(Array.from({ length }, (_, n) => eventOf(user, from + n)));
    }
  }
  while ((await storage.figures()).eventsNotInRollups > 0)
    await storage.eventTypes().catch(() => sleep(1_000));
  await storage.close();
}

async function erase({ url }: RunningChild, user: number): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(`${url}/apiv1/users/${encodeURIComponent(nameOf(user))}`, {
    method: "DELETE",
    headers: AUTHORIZED,
  });
  const { erased } = (await response.json()) as { erased: { events: number } };
  if (erased.events !== own) throw new Error(`${erased.events} events were erased`);
  return performance.now() - startedAt;
}

const load: Load = {
  path: "/apiv1/events",
  headers: AUTHORIZED,
  body: returningUserEvent,
  connections: Number(options.connections),
  rate: Number(options.rate),
};
const shown = ({ rate, p50, p99 }: Sample): string =>
  `${Math.round(rate)} events/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;

function compare(before: Sample, during: Sample): void {
  say(`  before: ${shown(before)}`);
  say(`  during: ${shown(during)}`);
  say(`  p99 during / before: ${(during.p99 / before.p99).toFixed(2)} (target: below 1.5)`);
}

/** One user after another, for as long as events are stored. */
async function measureErasures(server: RunningChild): Promise<void> {
  const took: number[] = [await erase(server, 0)];
  say(`erased ${own} events of ${options.events} in ${Math.round(took[0] ?? 0)} ms without load (${TARGET})`);
  const before = await loadServer(server, load, seconds);
  let isOver = false;
  const loading = loadServer(server, load, seconds).finally(() => {
    isOver = true;
  });
  const under: number[] = [];
  for (let user = 1; user < ERASED && !isOver; user += 1) under.push(await erase(server, user));
  const { median, max } = spreadOf(under);
  say(
    `erased ${under.length} users under load: median ${Math.round(median)} ms, longest ${Math.round(max)} ms (${TARGET})`,
  );
  compare(before, await loading);
}

async function removedBy({ url }: RunningChild): Promise<{ removed: number; pending: boolean }> {
  const response = await fetch(`${url}/health`);
  const { expiry } = (await response.json()) as { expiry: { removed: number; pending: boolean } };
  return expiry;
}

async function measureExpiry(before: Sample, server: RunningChild): Promise<void> {
  // It builds first, and then removes.
  while ((await removedBy(server)).removed === 0) await sleep(100);
  const start = await removedBy(server);
  const during = await loadServer(server, load, seconds);
  const { removed, pending } = await removedBy(server);
  say(
    `removed ${removed - start.removed} old events in ${seconds} s under load${pending ? "" : ", and then none were left"}`,
  );
  compare(before, during);
}

async function measure(file: string): Promise<void> {
  await addUsers(file);
  const server = await startAnalytics(file);
  await loadServer(server, load, 2);
  await measureErasures(server);
  const before = await loadServer(server, load, seconds);
  await server.stop();
  const expiring = await startAnalytics(file, { ANALYTICS_KEEP_DAYS: String(KEEP_DAYS) });
  await measureExpiry(before, expiring);
  await expiring.stop();
}

for (const line of describeMachine({ rounds: 1, seconds })) say(line);
await inFolder(async (folder) => {
  const file = options.file ?? `${folder}/erase.db`;
  if (!existsSync(file)) await fill(file);
  await measure(file);
});
process.exit();
