import pg from "pg";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import type { Storage } from "../../../domain/storage.ts";
import { newDatabaseOn } from "./server.ts";

/** A pool of empty databases on one server. */
export interface Databases {
  /** Answers at once: the database is created with the first call of the storage, and emptied when that is closed. */
  lend(): Storage;
  /** Takes back and empties every database that was lent. */
  empty(): Promise<void>;
  /** Closes every connection. */
  close(): Promise<void>;
}

interface Database {
  readonly client: pg.Client;
  readonly storage: Storage;
}

// Far faster than `truncate`, which creates new files for each table. Ids start at 1 again.
export const EMPTY = `
  update event_rollup set build = 0, users = 0, types = 0, properties = 0;
  delete from event_journal; delete from event_users; delete from event_types; delete from event_properties;
  delete from event_values; delete from event_hours; delete from event_value_hours; delete from event_visitors;
  delete from event_postings;
  delete from ab_deletions; delete from ab_tests; delete from ab_periods; delete from ab_cell_users;
  delete from ab_cell_sums; delete from ab_observations; delete from ab_raw_values; delete from ab_attributes;
  delete from ab_tally_backlog; delete from ab_metric_messages; delete from event_messages; delete from events; delete from user_links;
  delete from ab_past_observations; delete from ab_user_raw_values; delete from erasures; delete from erasing;
  delete from annotations; delete from saved_questions; delete from shares; delete from event_kept_counts;
  alter table ab_tests alter column id restart; alter table ab_variants alter column id restart;
  update ab_revision set revision = revision + 1;`;

/** Numbers the ids of events and values from 1, as SQLite does, so that a test can compare whole answers. */
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

// Every method of the port, read from a storage, so that no list of them has to be maintained here.
function methodsOfThePort(): readonly (keyof Storage)[] {
  const storage = openSqlite(":memory:");
  void storage.close();
  return Object.keys(storage) as (keyof Storage)[];
}

export function createDatabases(server: string): Databases {
  const methods = methodsOfThePort();
  const all: Database[] = [];
  const free: Database[] = [];
  let lent: Promise<Database>[] = [];

  async function create(): Promise<Database> {
    const url = await newDatabaseOn(server);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const database = { client, storage: await openPostgres(url, { connections: 3 }) };
    all.push(database);
    return database;
  }

  async function takeBack(used: Promise<Database>[]): Promise<void> {
    const databases = await Promise.all(used);
    lent = lent.filter((one) => !used.includes(one));
    await Promise.all(databases.map(({ client }) => client.query(EMPTY)));
    free.push(...databases);
  }

  function lend(): Storage {
    let database: Promise<Database> | undefined;
    let storage: Promise<Storage> | undefined;
    const open = async (): Promise<Storage> => {
      database = Promise.resolve(free.pop() ?? create());
      lent.push(database);
      return counted((await database).storage);
    };
    const close = async () => {
      if (database !== undefined && lent.includes(database)) await takeBack([database]);
    };
    const callOf =
      (name: keyof Storage) =>
      async (...given: never[]) => {
        storage ??= open();
        return ((await storage)[name] as (...all: never[]) => unknown)(...given);
      };
    const calls = methods.map((name) => [name, name === "close" ? close : callOf(name)]);
    return Object.fromEntries(calls) as Storage;
  }

  return {
    lend,
    empty: () => takeBack(lent),
    close: async () => {
      await Promise.all(all.flatMap(({ client, storage }) => [client.end(), storage.close()]));
    },
  };
}
