import { createHash } from "node:crypto";
import type pg from "pg";
import { fromDriver, isUnusable } from "./failures.ts";

// The use of one connection of the pool.

export interface QueryOptions {
  /** The statement is planned for its values: it runs for long, and its best plan depends on them. */
  readonly once?: boolean;
  /** Time limit of this statement, in milliseconds. */
  readonly answerMs?: number;
}

/** Runs one statement and returns its rows. */
export type Query = <Row>(
  text: string,
  values?: readonly unknown[],
  options?: QueryOptions,
) => Promise<Row[]>;

/**
 * Gives statements the names by which the server remembers their plans: planning takes longer than storing an event. A
 * pooler may hand each transaction another connection, which does not know the name; then no statement is named any more.
 */
export class StatementNames {
  readonly #names = new Map<string, string>();
  #isLost = false;

  nameOf(text: string): string | undefined {
    if (this.#isLost) return undefined;
    const name = this.#names.get(text) ?? createHash("sha256").update(text).digest("base64url");
    this.#names.set(text, name);
    return name;
  }

  lose(): void {
    this.#isLost = true;
  }
}

// A remembered plan is made for arrays of unknown length, and expects short ones: with thousands of rows it can be a thousand
// times slower than a plan of their own, which costs them next to nothing.
const SHORT_ARRAY = 100;

const isPlannedOnce = (values: readonly unknown[]): boolean =>
  values.some((value) => Array.isArray(value) && value.length > SHORT_ARRAY);

/** Runs statements on a connection. `limitMs` is the time limit of each, by default that of the pool. */
export const queryOf =
  (client: pg.ClientBase, names: StatementNames, limitMs?: number): Query =>
  async <Row>(text: string, values?: readonly unknown[], { once, answerMs = limitMs }: QueryOptions = {}) => {
    const result = client.query({
      text,
      values: values as unknown[],
      name: values === undefined || once || isPlannedOnce(values) ? undefined : names.nameOf(text),
      query_timeout: answerMs,
    } as pg.QueryConfig);
    return (await result.catch((error) => Promise.reject(fromDriver(error)))).rows as Row[];
  };

/** Commits everything that `act` does, or nothing. */
export async function committing<T>(
  query: Query,
  begin: string,
  act: (query: Query) => Promise<T>,
  beforeCommit: () => void = () => {},
): Promise<T> {
  try {
    await query(begin);
    const value = await act(query);
    beforeCommit();
    await query("commit");
    return value;
  } catch (error) {
    if (!isUnusable(error)) await query("rollback");
    throw error;
  }
}

/** The limits of a read. */
export interface Until {
  /** Cancels the read. */
  readonly givenUp: AbortSignal;
  /** Time limit, in milliseconds. */
  readonly limitMs: number;
}

// The server has a limit of its own, a little later, in case this process ends.
const GRACE_MS = 2_000;

// The server checks four times a second whether the connection is still open; on Windows it cannot, and refuses the
// setting. A cursor is planned for all of its rows, not for the first ones.
const beginReading = (limitMs: number): string => `
  begin isolation level repeatable read read only;
  set local statement_timeout = ${Math.ceil(limitMs) + GRACE_MS};
  set local cursor_tuple_fraction = 1;
  select set_config('client_connection_check_interval', '250', true) where version() !~* 'windows|visual c'`;

/** Runs one statement after the other: a connection takes the next one when it has answered. */
function inTurn(query: Query): Query {
  let last: Promise<unknown> = Promise.resolve();
  return (...given) => {
    const answer = last.then(() => query<never>(...given));
    last = answer.catch(() => {});
    return answer;
  };
}

/**
 * Reads one snapshot. To cancel, the connection is closed, and the server ends the statement: a cancel request could
 * arrive late and end the next statement of that connection.
 */
export async function reading<T>(
  client: pg.PoolClient,
  names: StatementNames,
  read: (query: Query) => Promise<T>,
  { givenUp, limitMs }: Until,
): Promise<T> {
  givenUp.throwIfAborted();
  const hangUp = (): void => void client.end();
  givenUp.addEventListener("abort", hangUp);
  try {
    return await committing(inTurn(queryOf(client, names, limitMs + GRACE_MS)), beginReading(limitMs), read);
  } finally {
    givenUp.removeEventListener("abort", hangUp);
  }
}
