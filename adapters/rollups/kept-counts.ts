import { DAY, type Instant, MINUTE } from "../../domain/time.ts";
import { addTo, entry, type NumberedEvent } from "./build/growth.ts";
import { type RollupStore, typeKey, userKey } from "./store.ts";
import type { Work } from "./work.ts";

// Numbers of events that have expired, kept with ANALYTICS_KEEP_COUNTS. Unlike rollups they cannot be computed again.

/** Every time zone in use today begins its hours and days on a quarter of an hour of UTC. */
export const QUARTER = 15 * MINUTE;
export const QUARTERS_A_DAY = DAY / QUARTER;

export const dayOf = (instant: Instant): number => Math.floor(instant / DAY);

export interface KeptKey {
  /** Whole days since 1970, UTC. */
  readonly day: number;
  /** A key of the type: see `typeKey`. */
  readonly event_type: string;
}

/** The expired events of a type and a day. */
export interface KeptRow extends KeptKey {
  /** The number of events in each quarter of an hour of the day, as JSON. */
  readonly counts: string;
  /** Their sum. */
  readonly events: number;
}

/** The expired events of a type. */
export interface KeptTotal extends Pick<KeptRow, "event_type" | "events"> {
  readonly first_day: number;
  readonly last_day: number;
}

/** Rows of some days, the last one included. */
export interface KeptSpan {
  /** Keys of types; null for all. */
  readonly types: readonly string[] | null;
  readonly first: number;
  readonly last: number;
}

/** A page has this many rows unless it is the last one. */
export const KEPT_PAGE = 500;

/** How an engine reads kept counts. */
export interface KeptStore {
  at(keys: readonly KeptKey[]): Work<readonly KeptRow[]>;
  totals(): Work<readonly KeptTotal[]>;
  /** The rows of a span behind this one, in the order of days and types. */
  page(span: KeptSpan, after: KeptKey): Work<readonly KeptRow[]>;
  /** All rows of the latest day of a span that has any. */
  latest(span: KeptSpan): Work<readonly KeptRow[]>;
}

/** Visits the rows of a span, page by page. */
export function* eachKeptRow(kept: KeptStore, span: KeptSpan, visit: (row: KeptRow) => void): Work<void> {
  let after: KeptKey = { day: span.first - 1, event_type: "" };
  for (;;) {
    const rows = yield* kept.page(span, after);
    for (const row of rows) visit(row);
    const end = rows.at(-1);
    if (end === undefined || rows.length < KEPT_PAGE) return;
    after = end;
  }
}

const readCounts = (text: string): number[] => JSON.parse(text);

/** Visits each quarter of an hour with its number of events, where there are any. */
export function eachQuarter(
  { day, counts }: Pick<KeptRow, "day" | "counts">,
  visit: (start: Instant, count: number) => void,
): void {
  for (const [slot, count] of readCounts(counts).entries())
    if (count > 0) visit(day * DAY + slot * QUARTER, count);
}

/** An id that is being erased, and its name in the rollups meanwhile. */
interface Hidden {
  readonly user_id: string;
  readonly alias: string;
}

/** The part of an event that is counted. */
export type CountedEvent = Pick<NumberedEvent, "event_type" | "occurred_at" | "user">;

/** The numbers of the users who are being erased. */
function* numbersOf(store: Pick<RollupStore, "users">, hidden: readonly Hidden[]): Work<Set<number>> {
  if (hidden.length === 0) return new Set();
  const keys = hidden.flatMap(({ user_id, alias }) => [userKey(user_id), alias]);
  return new Set([...(yield* store.users(keys))].map(({ number }) => number));
}

/** The number of events in each quarter of an hour, by day and type. */
function countsOf(events: readonly CountedEvent[]): (KeptKey & { readonly counts: Map<number, number> })[] {
  const rows = new Map<string, KeptKey & { readonly counts: Map<number, number> }>();
  for (const { event_type, occurred_at } of events) {
    const day = dayOf(occurred_at);
    const { counts } = entry(rows, `${day} ${event_type}`, () => ({
      ...{ day, event_type: typeKey(event_type) },
      counts: new Map(),
    }));
    addTo(counts, Math.floor((occurred_at - day * DAY) / QUARTER), 1);
  }
  return [...rows.values()];
}

/**
 * The rows to put where these events expire, in the transaction that removes them. Events of users who are being erased are
 * shown no more, and do not count.
 */
export function* keptRows(
  kept: Pick<KeptStore, "at">,
  users: Pick<RollupStore, "users">,
  events: readonly CountedEvent[],
  hidden: readonly Hidden[],
): Work<KeptRow[]> {
  const numbers = yield* numbersOf(users, hidden);
  const added = countsOf(events.filter(({ user }) => !numbers.has(user)));
  const keyOf = ({ day, event_type }: KeptKey): string => `${day} ${event_type}`;
  const before = new Map((yield* kept.at(added)).map((row) => [keyOf(row), readCounts(row.counts)]));
  return added.map(({ day, event_type, counts }) => {
    const known = before.get(keyOf({ day, event_type }));
    const all = Array.from(
      { length: QUARTERS_A_DAY },
      (_, slot) => (known?.[slot] ?? 0) + (counts.get(slot) ?? 0),
    );
    return { day, event_type, counts: JSON.stringify(all), events: all.reduce((a, b) => a + b, 0) };
  });
}
