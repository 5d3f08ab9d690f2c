import type pg from "pg";
import { fromDriver, isUnusable } from "./failures.ts";

// What is done with one connection of the pool.

/** Runs one statement and gives its rows. */
export type Query = <Row>(text: string, values?: readonly unknown[]) => Promise<Row[]>;

/** It waits for an answer as long as the pool says, or as long as is said here. */
export const queryOf =
  (client: pg.ClientBase, answerMs?: number): Query =>
  async <Row>(text: string, values?: readonly unknown[]) => {
    const result = client.query({
      text,
      values: values as unknown[],
      query_timeout: answerMs,
    } as pg.QueryConfig);
    return (await result.catch((error) => Promise.reject(fromDriver(error)))).rows as Row[];
  };

/** All that `act` does, or nothing. */
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

/** How long something is waited for. */
export interface Until {
  readonly givenUp: AbortSignal;
  /** It is given up by then at the latest. */
  readonly limitMs: number;
}

// The server has a limit of its own, a little later, for when nobody is left here who could give up.
const GRACE_MS = 2_000;

// The server looks four times a second whether the connection is still open. On Windows it cannot, and refuses to be
// told to. A cursor is planned for all of its rows, not for the first ones.
const beginReading = (limitMs: number): string => `
  begin isolation level repeatable read read only;
  set local statement_timeout = ${Math.ceil(limitMs) + GRACE_MS};
  set local cursor_tuple_fraction = 1;
  select set_config('client_connection_check_interval', '250', true) where version() !~* 'windows|visual c'`;

/**
 * Reads as of one moment. Whoever gives up closes the connection, upon which the server ends the statement: a request
 * to cancel it could come late, and end somebody else's.
 */
export async function reading<T>(
  client: pg.PoolClient,
  read: (query: Query) => Promise<T>,
  { givenUp, limitMs }: Until,
): Promise<T> {
  givenUp.throwIfAborted();
  const hangUp = (): void => void client.end();
  givenUp.addEventListener("abort", hangUp);
  try {
    return await committing(queryOf(client, limitMs + GRACE_MS), beginReading(limitMs), read);
  } finally {
    givenUp.removeEventListener("abort", hangUp);
  }
}
