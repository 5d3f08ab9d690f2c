import pg from "pg";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import type { Storage } from "../../../domain/storage.ts";
import { bundledPostgres, startPostgres } from "./server.ts";

/** Empty databases without end, of a server of their own. */
export interface Databases {
  /** Takes no time: the database is made when it is first asked something. */
  lend(): Storage;
  /** Takes back all that were lent, and empties them. */
  empty(): Promise<void>;
  remove(): Promise<void>;
}

interface Database {
  readonly client: pg.Client;
  readonly storage: Storage;
}

// Far faster than `truncate`, which makes new files for all that it empties. The numbers begin at 1 again.
export const EMPTY = `
  delete from ab_tests; delete from ab_users; delete from ab_tallies; delete from ab_totals;
  delete from ab_metric_messages; delete from event_messages; delete from events;
  alter table ab_tests alter column id restart; alter table ab_variants alter column id restart;
  update ab_revision set revision = revision + 1;`;

/** Ids are opaque; but who compares whole answers wants to know them. Each world's are counted as they appear. */
function counted(storage: Storage): Storage {
  const numbers = { events: new Map<number, number>(), values: new Map<number, number>() };
  const numberOf = (kind: keyof typeof numbers, id: number): number => {
    const known = numbers[kind].get(id) ?? numbers[kind].size + 1;
    numbers[kind].set(id, known);
    return known;
  };
  const eventOf = (number: number): number =>
    [...numbers.events].find(([, known]) => known === number)?.[0] ?? number;
  return {
    ...storage,
    appendEvents: async (events) => {
      const answers = await storage.appendEvents(events);
      return answers.map((one) => ({ ...one, id: numberOf("events", one.id) })) as never;
    },
    listEvents: async ({ after, ...page }, asking) => {
      const place = after && { ...after, id: eventOf(after.id) };
      const events = await storage.listEvents({ ...page, after: place }, asking);
      return events.map((event) => ({ ...event, id: numberOf("events", event.id) }));
    },
    appendMetrics: async (testId, metrics) => {
      const answers = await storage.appendMetrics(testId, metrics);
      return answers.map((one) =>
        one.kind === "stored" ? { ...one, id: numberOf("values", one.id) } : one,
      ) as never;
    },
  };
}

export async function startDatabases(): Promise<Databases> {
  const server = await startPostgres(bundledPostgres(), { fsync: "off", synchronous_commit: "off" });
  const all: Database[] = [];
  const free: Database[] = [];
  let lent: Promise<Database>[] = [];

  async function create(): Promise<Database> {
    const url = await server.newDatabase();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const database = { client, storage: await openPostgres(url, { connections: 3 }) };
    all.push(database);
    return database;
  }

  function lend(): Storage {
    let storage: Promise<Storage> | undefined;
    const open = async (): Promise<Storage> => {
      const opening = Promise.resolve(free.pop() ?? create());
      lent.push(opening);
      return counted((await opening).storage);
    };
    const callOf =
      (name: keyof Storage) =>
      async (...given: never[]) => {
        storage ??= open();
        return ((await storage)[name] as (...all: never[]) => unknown)(...given);
      };
    const methods = METHODS.map((name) => [name, name === "close" ? async () => {} : callOf(name)]);
    return Object.fromEntries(methods) as Storage;
  }

  return {
    lend,
    empty: async () => {
      const used = await Promise.all(lent);
      lent = [];
      await Promise.all(used.map(({ client }) => client.query(EMPTY)));
      free.push(...used);
    },
    remove: async () => {
      await Promise.all(all.flatMap(({ client, storage }) => [client.end(), storage.close()]));
      await server.remove();
    },
  };
}

const METHODS: readonly (keyof Storage)[] = [
  "appendEvents",
  "listEvents",
  "eventTypes",
  "trend",
  "funnel",
  "retention",
  "createExperiment",
  "findExperiment",
  "listExperiments",
  "updateExperiment",
  "deleteExperiment",
  "findAssignment",
  "assign",
  "appendMetrics",
  "tally",
  "dailyTallies",
  "keepLooks",
  "check",
  "close",
];
