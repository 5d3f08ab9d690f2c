import type { ChildProcess } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import Sqlite from "better-sqlite3";
import { awaitOutput, freePort, spawnNode, stopChild } from "../bench/processes.ts";

// A server that is killed again and again, while clients keep to the one rule for retries: send the same message_id
// again on 429, 5xx or silence. In the end every message must be stored, once, under the id that was answered.

export interface CrashPlan {
  readonly kills: number;
  /** Decides when to kill; what is under way at that moment differs all the same. */
  readonly seed: number;
  readonly folder: string;
  /** The server's program. */
  readonly serve: string;
}

/** Of one kind of message. */
export interface Tally {
  /** All were acknowledged in the end. */
  readonly messages: number;
  /** Acknowledged, but not in the file, or not under the id that was answered. */
  readonly lost: number;
  /** In the file more than once. */
  readonly twice: number;
  /** Rows that nobody has sent. */
  readonly strange: number;
}

export interface CrashReport {
  readonly kills: number;
  readonly seconds: number;
  readonly events: Tally;
  readonly values: Tally;
  /** How many values the results count, which keep their own figures beside the rows. */
  readonly valuesInResults: number;
  /** How often something was sent again. */
  readonly retries: number;
  /** How often that had been stored already: its first answer was lost, with the server. */
  readonly answersLost: number;
  /** What SQLite says of the file. */
  readonly integrity: string;
}

const EVENT_CLIENTS = 8;
const BATCH_CLIENTS = 2;
const VALUE_CLIENTS = 4;
const BATCH = 20;
const RETRY_MS = 20;
// So many answers come after a start before the clock of the kill begins to run.
const ANSWERS_BEFORE_KILL = 10;
const MOST_ALIVE_MS = 250;
// Every so many kills one hits the start, when the file is being recovered.
const KILLS_FOR_ONE_AT_START = 5;
const MOST_STARTING_MS = 300;

/** Numbers below a bound, the same in every run. */
function diceFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The name of a message, which also tells its row, and the id that was answered. */
type Acknowledged = Map<string, number>;

interface Clients {
  readonly events: Acknowledged;
  readonly values: Acknowledged;
  readonly counters: { retries: number; answersLost: number };
  /** Fulfils at the next acknowledgement. */
  next(): Promise<unknown>;
  /** Lets each finish what it is at. */
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
    // Silence: the server is gone, with or without the message.
    return undefined;
  }
}

/** No retry would help: the plan itself is at fault. */
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
    // A client that gives up must not leave the killer waiting.
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

/** Kills servers on one file, one after the other, and returns the last, which lives. */
async function killAgainAndAgain(
  { kills, seed }: CrashPlan,
  start: () => ChildProcess,
  first: ChildProcess,
  clients: Clients,
): Promise<ChildProcess> {
  const roll = diceFrom(seed);
  let server = first;
  for (let killed = 0; killed < kills; killed += 1) {
    if (killed % KILLS_FOR_ONE_AT_START === KILLS_FOR_ONE_AT_START - 1) {
      await pause(roll(MOST_STARTING_MS));
    } else {
      for (let answer = 0; answer < ANSWERS_BEFORE_KILL; answer += 1) await clients.next();
      await pause(roll(MOST_ALIVE_MS));
    }
    await kill(server);
    server = start();
  }
  await awaitOutput(server, LISTENS);
  return server;
}

/** Compares what was acknowledged with the rows, each an id and the name of its message. */
function compare(acknowledged: Acknowledged, rows: readonly { id: number; name: string }[]): Tally {
  const stored = new Map<string, number[]>();
  for (const { id, name } of rows) stored.set(name, [...(stored.get(name) ?? []), id]);
  return {
    messages: acknowledged.size,
    lost: [...acknowledged].filter(([name, id]) => !stored.get(name)?.includes(id)).length,
    twice: [...stored.values()].filter((ids) => ids.length > 1).length,
    strange: [...stored.keys()].filter((name) => !acknowledged.has(name)).length,
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
  if (assigned === undefined) throw new Error("the experiment could not be prepared");
}

async function countInResults(url: string): Promise<number> {
  const response = await fetch(`${url}/apiv1/ab-tests/1/results`);
  const { results } = (await response.json()) as { results: { metric_count: number }[] };
  return results.reduce((sum, { metric_count }) => sum + metric_count, 0);
}

/** Starts, loads and kills, and says what became of the messages. */
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
    const last = await killAgainAndAgain(plan, start, first, clients);
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

/** What must hold whatever happened. */
export const isUnharmed = ({ events, values, valuesInResults, integrity }: CrashReport): boolean =>
  [events, values].every(({ lost, twice, strange }) => lost + twice + strange === 0) &&
  valuesInResults === values.messages &&
  integrity === "ok";

const describeTally = (kind: string, { messages, lost, twice, strange }: Tally): string =>
  `${messages} ${kind} acknowledged: ${lost} lost, ${twice} stored twice, ${strange} that nobody sent`;

export const describeCrashes = (report: CrashReport): string =>
  [
    `killed ${report.kills} times in ${report.seconds.toFixed(0)} s`,
    describeTally("events", report.events),
    describeTally("metric values", report.values),
    `${report.valuesInResults} metric values in the results`,
    `${report.retries} retries, of which ${report.answersLost} had been stored before their answer was lost`,
    `integrity of the file: ${report.integrity}`,
  ].join("\n");
