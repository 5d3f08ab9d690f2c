import type { ChildProcess } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import Sqlite from "better-sqlite3";
import { awaitOutput, freePort, spawnNode, stopChild } from "../bench/processes.ts";

// Kills a server repeatedly while clients follow the rule for retries: after a 429, a 5xx or no answer, send the same
// message_id again. At the end every message must be stored exactly once, under the acknowledged id.

export interface CrashPlan {
  readonly kills: number;
  /** Seed of the delays before each kill. The requests in flight at a kill still differ between runs. */
  readonly seed: number;
  readonly folder: string;
  /** Path of the server script. */
  readonly serve: string;
}

/** Counts for one kind of message. */
export interface Tally {
  /** All messages that were acknowledged. */
  readonly messages: number;
  /** Acknowledged, but missing from the file or stored under another id. */
  readonly lost: number;
  /** Stored more than once. */
  readonly twice: number;
  /** Rows that match no message. */
  readonly unknown: number;
}

export interface CrashReport {
  readonly kills: number;
  readonly seconds: number;
  readonly events: Tally;
  readonly values: Tally;
  /** Number of values in the results, which come from the tallies and not from the rows. */
  readonly valuesInResults: number;
  /** Number of repeated requests. */
  readonly retries: number;
  /** Number of messages whose first request was stored, but whose answer was lost in the crash. */
  readonly answersLost: number;
  /** Result of SQLite's integrity check. */
  readonly integrity: string;
}

const EVENT_CLIENTS = 8;
const BATCH_CLIENTS = 2;
const VALUE_CLIENTS = 4;
const BATCH = 20;
const RETRY_MS = 20;
// Answers to await after a start before the delay of the kill begins.
const ANSWERS_BEFORE_KILL = 10;
const MAX_ALIVE_MS = 250;
// Every fifth kill happens during the start, while SQLite recovers the file.
const KILLS_PER_KILL_AT_START = 5;
const MAX_STARTING_MS = 300;

/** Seeded pseudo-random integers: the same sequence in every run. */
function seededIntegers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Acknowledged ids by message name. The name also identifies the row of the message. */
type Acknowledged = Map<string, number>;

interface Clients {
  readonly events: Acknowledged;
  readonly values: Acknowledged;
  readonly counters: { retries: number; answersLost: number };
  /** Resolves at the next acknowledgement. */
  next(): Promise<unknown>;
  /** Waits until each client has finished its current message. */
  finish(): Promise<void>;
}

interface Stored {
  readonly id: number;
  readonly duplicate?: boolean;
}

async function send(url: string, body: unknown): Promise<Response | undefined> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (response.ok) return response;
    const text = await response.text();
    if (response.status !== 429 && response.status < 500) throw new Refused(text);
    return undefined;
  } catch (error) {
    if (error instanceof Refused) throw error;
    // No answer: the server was killed before or after it stored the message.
    return undefined;
  }
}

/** A refusal that no retry would resolve: the test itself has a defect. */
class Refused extends Error {
  override readonly name = "Refused";
}

function startClients(url: string): Clients {
  const events: Acknowledged = new Map();
  const values: Acknowledged = new Map();
  const counters = { retries: 0, answersLost: 0 };
  const acknowledgements = new EventEmitter();
  let going = true;
  let names = 0;
  const newName = (): string => `message-${names++}`;

  async function deliver<T>(path: string, body: unknown): Promise<T> {
    for (;;) {
      const response = await send(url + path, body);
      const text = await response?.text().catch(() => undefined);
      if (text !== undefined) return JSON.parse(text) as T;
      counters.retries += 1;
      await pause(RETRY_MS);
    }
  }

  function note(kind: Acknowledged, name: string, { id, duplicate = false }: Stored): void {
    kind.set(name, id);
    if (duplicate) counters.answersLost += 1;
    acknowledgements.emit("one");
  }

  const eventOf = (name: string) => ({ event_type: "crash", user_id: name, message_id: name });

  async function sendEvent(): Promise<void> {
    const name = newName();
    note(events, name, await deliver<Stored>("/apiv1/events", eventOf(name)));
  }

  async function sendBatch(): Promise<void> {
    const sent = Array.from({ length: BATCH }, newName);
    const { results } = await deliver<{ results: Stored[] }>("/apiv1/events/batch", sent.map(eventOf));
    for (const [index, name] of sent.entries()) note(events, name, results[index] ?? { id: 0 });
  }

  async function sendValue(): Promise<void> {
    const name = newName();
    const value = Number(name.slice("message-".length));
    const body = { user_id: "user", metric_name: "value", value, message_id: name };
    note(values, name, await deliver<Stored>("/apiv1/ab-tests/1/track", body));
  }

  const repeat = async (act: () => Promise<void>): Promise<void> => {
    while (going) await act();
  };
  const many = (count: number, act: () => Promise<void>) => Array.from({ length: count }, () => repeat(act));
  const running = Promise.all([
    ...many(EVENT_CLIENTS, sendEvent),
    ...many(BATCH_CLIENTS, sendBatch),
    ...many(VALUE_CLIENTS, sendValue),
  ]);

  return {
    events,
    values,
    counters,
    // Includes the clients themselves, so that a failed client does not block the kills.
    next: () => Promise.race([once(acknowledgements, "one"), running]),
    finish: async () => {
      going = false;
      await running;
    },
  };
}

async function kill(server: ChildProcess): Promise<void> {
  const gone = once(server, "exit");
  server.kill("SIGKILL");
  await gone;
}

const LISTENS = /listens on/;

/** Kills and restarts the server, and returns the last process, which keeps running. */
async function killRepeatedly(
  { kills, seed }: CrashPlan,
  start: () => ChildProcess,
  first: ChildProcess,
  clients: Clients,
): Promise<ChildProcess> {
  const roll = seededIntegers(seed);
  let server = first;
  for (let killed = 0; killed < kills; killed += 1) {
    if (killed % KILLS_PER_KILL_AT_START === KILLS_PER_KILL_AT_START - 1) {
      await pause(roll(MAX_STARTING_MS));
    } else {
      for (let answer = 0; answer < ANSWERS_BEFORE_KILL; answer += 1) await clients.next();
      await pause(roll(MAX_ALIVE_MS));
    }
    await kill(server);
    server = start();
  }
  await awaitOutput(server, LISTENS);
  return server;
}

/** Compares the acknowledged messages with the stored rows. */
function compare(acknowledged: Acknowledged, rows: readonly { id: number; name: string }[]): Tally {
  const stored = new Map<string, number[]>();
  for (const { id, name } of rows) stored.set(name, [...(stored.get(name) ?? []), id]);
  return {
    messages: acknowledged.size,
    lost: [...acknowledged].filter(([name, id]) => !stored.get(name)?.includes(id)).length,
    twice: [...stored.values()].filter((ids) => ids.length > 1).length,
    unknown: [...stored.keys()].filter((name) => !acknowledged.has(name)).length,
  };
}

function readFile(database: string, { events, values }: Clients) {
  const db = new Sqlite(database, { readonly: true });
  const rows = (sql: string) => db.prepare<[], { id: number; name: string }>(sql).all();
  try {
    return {
      events: compare(events, rows("select id, user_id as name from events")),
      values: compare(
        values,
        rows("select id, 'message-' || cast(value as integer) as name from ab_metrics"),
      ),
      integrity: db.pragma("integrity_check", { simple: true }) as string,
    };
  } finally {
    db.close();
  }
}

async function prepare(url: string): Promise<void> {
  const variants = [{ variant_name: "one" }, { variant_name: "two" }];
  await send(`${url}/apiv1/ab-tests`, { test_name: "crash", variants });
  const assigned = await send(`${url}/apiv1/ab-tests/1/assign`, { user_id: "user" });
  if (assigned === undefined) throw new Error("The experiment could not be prepared.");
}

async function countInResults(url: string): Promise<number> {
  const response = await fetch(`${url}/apiv1/ab-tests/1/results`);
  const { results } = (await response.json()) as { results: { metric_count: number }[] };
  return results.reduce((sum, { metric_count }) => sum + metric_count, 0);
}

/** Starts a server, kills it under load, and reports what was stored of the messages. */
export async function crash(plan: CrashPlan): Promise<CrashReport> {
  const startedAt = performance.now();
  const database = `${plan.folder}/crash.db`;
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  const env = { ANALYTICS_PORT: port, ANALYTICS_DATABASE: database, ANALYTICS_LOG_LEVEL: "error" };
  const started: ChildProcess[] = [];
  const start = (): ChildProcess => {
    const server = spawnNode({ args: [plan.serve], env });
    started.push(server);
    return server;
  };

  try {
    const first = start();
    await awaitOutput(first, LISTENS);
    await prepare(url);
    const clients = startClients(url);
    const last = await killRepeatedly(plan, start, first, clients);
    await clients.finish();
    const valuesInResults = await countInResults(url);
    await stopChild(last);
    return {
      kills: plan.kills,
      ...readFile(database, clients),
      valuesInResults,
      ...clients.counters,
      seconds: (performance.now() - startedAt) / 1000,
    };
  } finally {
    for (const server of started) server.kill("SIGKILL");
  }
}

/** Whether nothing was lost, stored twice or damaged. */
export const isUnharmed = ({ events, values, valuesInResults, integrity }: CrashReport): boolean =>
  [events, values].every(({ lost, twice, unknown }) => lost + twice + unknown === 0) &&
  valuesInResults === values.messages &&
  integrity === "ok";

const describeTally = (kind: string, { messages, lost, twice, unknown }: Tally): string =>
  `${messages} ${kind} acknowledged: ${lost} lost, ${twice} stored twice, ${unknown} unknown`;

export const describeCrashes = (report: CrashReport): string =>
  [
    `killed ${report.kills} times in ${report.seconds.toFixed(0)} s`,
    describeTally("events", report.events),
    describeTally("metric values", report.values),
    `${report.valuesInResults} metric values in the results`,
    `${report.retries} retries, of which ${report.answersLost} had been stored before their answer was lost`,
    `integrity of the file: ${report.integrity}`,
  ].join("\n");
