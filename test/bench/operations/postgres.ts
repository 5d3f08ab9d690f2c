import { BATCH, batches, event } from "../bodies.ts";
import { AUTHORIZED, startAnalytics } from "../contenders/analytics-server.ts";
import { startPostgresServer } from "../contenders/postgres.ts";
import { type Load, loadServers } from "../load.ts";
import { type RunningChild, startContender } from "../processes.ts";
import { interleave, type Rounds, type Sample } from "../samples.ts";
import type { Operation } from "./operation.ts";

const PROCESSES = 4;
const BATCH_CLIENTS = 4;

const HELLO = "hello";
const SQLITE = "ours on SQLite";
const ONE_PROCESS = "ours on PostgreSQL";
const MANY_PROCESSES = `ours on PostgreSQL, ${PROCESSES} processes`;

/** A way to send events. */
interface Way {
  readonly name: string;
  /** Prefix of its databases. */
  readonly database: string;
  load(): Load;
}

const WAYS: readonly Way[] = [
  {
    name: "one by one",
    database: "single",
    load: () => ({ path: "/apiv1/events", headers: AUTHORIZED, body: event }),
  },
  {
    name: `in batches of ${BATCH}`,
    database: "batch",
    load: () => ({
      path: "/apiv1/events/batch",
      headers: AUTHORIZED,
      body: batches(event),
      weight: BATCH,
      connections: BATCH_CLIENTS,
    }),
  },
];

const nameOf = (contender: string, way: string): string => `${contender}, ${way}`;

/** Returns the other contender that received events in the same way. */
const sameWay = (other: string) => (contender: string) =>
  nameOf(other, WAYS.find(({ name }) => contender.endsWith(name))?.name ?? "");

/** Starts several processes of our server on one database, as behind a load balancer. */
const startProcesses = (count: number, database: string): Promise<RunningChild[]> =>
  Promise.all(Array.from({ length: count }, () => startAnalytics(database)));

type NewDatabase = (name: string) => Promise<string>;

async function startContenders({ database }: Way, folder: string, newDatabase: NewDatabase) {
  return {
    [HELLO]: [await startContender("hello")],
    [SQLITE]: [await startAnalytics(`${folder}/${database}.db`)],
    [ONE_PROCESS]: await startProcesses(1, await newDatabase(`${database}_one`)),
    [MANY_PROCESSES]: await startProcesses(PROCESSES, await newDatabase(`${database}_many`)),
  };
}

async function measure(way: Way, contenders: Record<string, RunningChild[]>, rounds: Rounds) {
  const load = way.load();
  const contestants = Object.entries(contenders).map(([contender, servers]) => ({
    name: nameOf(contender, way.name),
    measure: (seconds: number) => loadServers(servers, load, seconds),
  }));
  const measured = await interleave(contestants, rounds);
  await Promise.all(Object.values(contenders).flatMap((servers) => servers.map((server) => server.stop())));
  return measured;
}

/**
 * Compares PostgreSQL with SQLite, and one process with several. The CPU figures exclude PostgreSQL's own processes.
 */
export const postgres: Operation = {
  name: "postgres",
  title: "events",
  // When events are sent one by one, this equals requests/s.
  unit: "events/s",
  baselines: [
    { name: "hello", baselineOf: sameWay(HELLO) },
    { name: "SQLite", baselineOf: sameWay(SQLITE) },
  ],

  async run(rounds, folder) {
    const server = await startPostgresServer(folder);
    const all: [string, readonly Sample[]][] = [];
    // One way at a time: the checkpoints and vacuums that follow batches would slow single events down.
    for (const way of WAYS) {
      const contenders = await startContenders(way, folder, server.newDatabase);
      all.push(...(await measure(way, contenders, rounds)));
    }
    await server.stop();
    return new Map(all);
  },
};
