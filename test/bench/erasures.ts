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
import type { Sample } from "./samples.ts";

// Measures how long it takes to erase a user with thousands of events among millions, and what that does to clients that
// store events meanwhile.
const { values: options } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    users: { type: "string", default: "20000" },
    own: { type: "string", default: "5000" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    /** Requests at a time; fewer than the server can take show the waits that the erasure causes. */
    connections: { type: "string", default: "8" },
  },
});
const DAY = 86_400_000;
const DAYS = 90;
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const contender = (name: string): string => fileURLToPath(new URL(`contenders/${name}.mjs`, import.meta.url));

async function fill(file: string): Promise<void> {
  const child = spawnNode({ args: [contender("fill-events"), file, options.events, options.users] });
  await awaitOutput(child, /filled with (\d+) events/, 3_600_000);
}

/** Users whose events are spread over the whole time. */
async function addUsers(file: string): Promise<void> {
  const storage = openSqlite(file);
  const own = Number(options.own);
  const start = Date.now() - DAYS * DAY;
  for (let user = 0; user < rounds; user += 1) {
    for (let from = 0; from < own; from += 1_000) {
      const events = Array.from({ length: Math.min(1_000, own - from) }, (_, n): NewEvent => {
        const occurred_at = Math.floor(start + ((from + n) * DAYS * DAY) / own);
        return {
          event_type: n % 4 === 0 ? "purchase" : "page_view",
          user_id: `erased ${user}`,
          session_id: null,
          properties: JSON.stringify({ plan: "pro", path: `/${n % 20}` }),
          created_at: occurred_at,
          occurred_at,
          message_key: messageKey(`erased ${user} ${from + n}`),
        };
      });
      await storage.appendEvents(events);
    }
  }
  await storage.eventTypes();
  await storage.close();
}

async function erase({ url }: RunningChild, user: number): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(`${url}/apiv1/users/erased%20${user}`, {
    method: "DELETE",
    headers: AUTHORIZED,
  });
  const { erased } = (await response.json()) as { erased: { events: number } };
  if (erased.events !== Number(options.own)) throw new Error(`${erased.events} events were erased`);
  return performance.now() - startedAt;
}

const load: Load = {
  path: "/apiv1/events",
  headers: AUTHORIZED,
  body: returningUserEvent,
  connections: Number(options.connections),
};
const shown = ({ rate, p50, p99 }: Sample): string =>
  `${Math.round(rate)} events/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;

await inFolder(async (folder) => {
  const file = `${folder}/erasures.db`;
  for (const line of describeMachine({ rounds, seconds })) say(line);
  await fill(file);
  await addUsers(file);
  const server = await startAnalytics(file);
  await loadServer(server, load, 1);
  for (let user = 0; user < rounds; user += 1) {
    const quiet = await loadServer(server, load, seconds);
    const during = loadServer(server, load, seconds);
    const took = await erase(server, user);
    say(`erased ${options.own} of ${options.events} events in ${Math.round(took)} ms under load`);
    say(`  without: ${shown(quiet)}`);
    say(`  during:  ${shown(await during)}`);
  }
  await server.stop();
});
process.exit();
