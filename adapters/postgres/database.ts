import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { committing, type Query, queryOf, reading, StatementNames, type Until } from "./client.ts";
import type { ConnectionOptions } from "./connection.ts";
import { type Connections, openConnections } from "./connections.ts";
import { asFailure, isDiskFull, isLostStatement, isPassing, isUnusable } from "./failures.ts";
import { createGroups, type Groups } from "./groups.ts";

/** Answers each item, in their order. */
export type Join<Item, Answer> = (items: readonly Item[]) => Promise<readonly Answer[]>;

export interface Database {
  /**
   * Runs one statement as one transaction. It is tried again when it lost a race or its connection, also where it may
   * have been committed: it must have the same effect when it runs twice.
   */
  readonly query: Query;
  /** Runs one statement, once. */
  readonly queryOnce: Query;
  /**
   * Runs several statements and commits them together. `act` may run more than once, but not after a commit whose outcome
   * is unknown. `answerMs` is the time limit of each statement.
   */
  transaction<T>(act: (query: Query) => Promise<T>, answerMs?: number): Promise<T>;
  /** Reads one snapshot; `read` may run more than once. It is cancelled, here and on the server, by `until`. */
  snapshot<T>(read: (query: Query) => Promise<T>, until: Until): Promise<T>;
  /** Calls `run` once for all requests that arrive together; `rowsOf` is the number of rows of an item: see groups.ts. */
  grouped<Item, Answer>(
    run: (items: readonly Item[]) => Promise<readonly Answer[]>,
    rowsOf?: (item: Item) => number,
  ): Join<Item, Answer>;
  /** Whether none of the groups has more waiting than its lanes take at once. */
  hasRoom(): boolean;
  /** The number of items that wait in all groups. */
  itemsWaiting(): number;
  /** The error of a statement that found the server's disk full within the last ten seconds. */
  diskFull(): unknown;
  /** Finishes what was begun, then closes all connections. */
  close(): Promise<void>;
}

// A server restarts in two or three seconds. Requests wait for it rather than being refused.
const PATIENCE_MS = 8_000;
const FULL_FOR_MS = 10_000;
const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 500;

/** Half of it random, so that two transactions that collided do not collide again. */
const waitBefore = (attempt: number): number =>
  Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt) * (0.5 + Math.random() / 2);

async function patiently<T>(
  patienceMs: number,
  attempt: () => Promise<T>,
  mayRepeat: () => boolean = () => true,
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (let attempts = 0; ; attempts += 1) {
    try {
      return await attempt();
    } catch (error) {
      const wait = waitBefore(attempts);
      if (!isPassing(error) || !mayRepeat() || Date.now() + wait > deadline) throw asFailure(error);
      await sleep(wait);
    }
  }
}

async function withClient<T>(
  { connect }: Connections,
  use: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await connect();
  let broken = false;
  // Without a listener, an error between two statements would end the process. A running statement rejects as well.
  const notice = (): void => {
    broken = true;
  };
  client.on("error", notice);
  try {
    return await use(client);
  } catch (error) {
    broken ||= isUnusable(error);
    throw error;
  } finally {
    client.off("error", notice);
    client.release(broken);
  }
}

export function openDatabase(url: string, options: ConnectionOptions): Database {
  const { patienceMs = PATIENCE_MS } = options;
  const connections = openConnections(url, options);
  const names = new StatementNames();
  const busy = new Set<Promise<unknown>>();
  const groups: Pick<Groups<never, never>, "drain" | "hasRoom" | "itemsWaiting">[] = [];

  let full: { readonly error: unknown; readonly at: number } | undefined;

  function tracked<T>(work: Promise<T>): Promise<T> {
    const settled = work.then(
      () => void busy.delete(settled),
      (error) => {
        busy.delete(settled);
        if (isDiskFull(error)) full = { error, at: Date.now() };
      },
    );
    busy.add(settled);
    return work;
  }

  /** A pooler that loses the names of statements is noticed once; what failed by it is tried again without names. */
  function withNames<T>(use: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    return withClient(connections, use).catch((error) => {
      if (isLostStatement(error)) names.lose();
      throw error;
    });
  }

  function transaction<T>(act: (query: Query) => Promise<T>, answerMs?: number): Promise<T> {
    let undecided = false;
    const attempt = () =>
      withNames((client) =>
        committing(queryOf(client, names, answerMs), "begin", act, () => {
          undecided = true;
        }),
      ).catch((error) => {
        // A refused commit has changed nothing. After a lost connection the outcome is unknown.
        undecided &&= isUnusable(error);
        throw error;
      });
    return tracked(patiently(patienceMs, attempt, () => !undecided));
  }

  function snapshot<T>(read: (query: Query) => Promise<T>, until: Until): Promise<T> {
    const attempt = () => withNames((client) => reading(client, names, read, until));
    return tracked(patiently(patienceMs, attempt, () => !until.givenUp.aborted));
  }

  const queryFor =
    (milliseconds: number): Query =>
    (...given) =>
      tracked(patiently(milliseconds, () => withNames((client) => queryOf(client, names)(...given))));

  return {
    query: queryFor(patienceMs),
    queryOnce: queryFor(0),
    transaction,
    snapshot,
    grouped: (run, rowsOf) => {
      const { join, ...group } = createGroups(run, rowsOf);
      groups.push(group);
      return join;
    },
    hasRoom: () => groups.every((group) => group.hasRoom()),
    itemsWaiting: () => groups.reduce((sum, group) => sum + group.itemsWaiting(), 0),
    diskFull: () => (full !== undefined && Date.now() < full.at + FULL_FOR_MS ? full.error : undefined),
    close: async () => {
      await Promise.all(groups.map((group) => group.drain()));
      while (busy.size > 0) await Promise.all(busy);
      await connections.close();
    },
  };
}
