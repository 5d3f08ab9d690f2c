import { type Asking, nobodyWaits, tooLong } from "../../domain/reports/answer.ts";
import type { Query } from "./client.ts";
import { CONNECTIONS, type ConnectionOptions } from "./connection.ts";
import type { Database } from "./database.ts";

/** Answers a question about events by reading as of one moment, while there is time and somebody waits for it. */
export type Report = <T>(read: (query: Query) => Promise<T>, asking?: Asking) => Promise<T>;

const LIMIT_MS = 15_000;
// A report keeps its connection for seconds: what stores events needs the others.
const MOST_AT_ONCE = 2;

/** Runs a few at once; the others wait in the order in which they came. */
function createTurns(atOnce: number) {
  const waiting: (() => void)[] = [];
  let running = 0;

  return async <T>(act: () => Promise<T>): Promise<T> => {
    if (running === atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await act();
    } finally {
      // Whoever is next takes this place.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

export function createReports(database: Database, options: ConnectionOptions): Report {
  const { reportMs: limitMs = LIMIT_MS, connections = CONNECTIONS } = options;
  const inTurn = createTurns(Math.max(1, Math.min(MOST_AT_ONCE, connections - 1)));

  return async (read, { gone } = {}) => {
    const giving = new AbortController();
    const givenUp = giving.signal;
    const leave = (): void => giving.abort(nobodyWaits());
    // From the arrival on. Those before it in the queue came earlier and end earlier, so that its turn comes by then.
    const timer = setTimeout(() => giving.abort(tooLong(limitMs)), limitMs);
    gone?.addEventListener("abort", leave);
    if (gone?.aborted) leave();
    try {
      return await inTurn(() => database.snapshot(read, { givenUp, limitMs }));
    } catch (error) {
      throw givenUp.aborted ? givenUp.reason : error;
    } finally {
      clearTimeout(timer);
      gone?.removeEventListener("abort", leave);
    }
  };
}
