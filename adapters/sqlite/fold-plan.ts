import type { Database } from "better-sqlite3";
import type { Instant } from "../../domain/time.ts";
import { type FoldedEvent, growthOf, growthOfAll, type TypeGrowth } from "./fold.ts";
import { createHourPlanner } from "./fold-hours.ts";
import { createPropertyPlanner } from "./fold-properties.ts";
import { createUncounted, type EventRow } from "./fold-rows.ts";
import { fromSql } from "./instants.ts";

/** Under this number stands what all types come to together. */
export const ALL_TYPES = 0;

/** How far the counting has come, and how many numbers have been given out. */
export interface FoldState {
  readonly through: number;
  /** Which plan has brought it there, by a number that no other has. */
  readonly plan: number;
  readonly users: number;
  readonly types: number;
  readonly properties: number;
}

/**
 * Whether it is one and the same state. How far it has come does not tell: another process, or a recount, may have come as
 * far in other steps, and so have given out the same numbers in another order.
 */
export const isSameState = (a: FoldState, b: FoldState): boolean =>
  a.plan === b.plan && a.through === b.through;

export type SqlValue = string | number | Uint8Array | null;

const TABLES = [
  /** When events happened that somebody else's program has inserted. */
  "times",
  /** Events in which it has put bytes where text belongs. */
  "bytes",
  "users",
  "types",
  "properties",
  "values",
  "hours",
  "valueHours",
  "visitors",
  "postings",
  /** Properties whose values have become too many to be kept. */
  "dropped",
] as const;
export type FoldTable = (typeof TABLES)[number];

/** Rows as they are to be written. */
export type Put = (table: FoldTable, ...row: SqlValue[]) => void;

/**
 * What counting some more events changes: whole rows, none of which depends on what it replaces. It holds for the state
 * that it was made from, and for no other.
 */
export interface FoldPlan {
  readonly before: FoldState;
  readonly after: FoldState;
  readonly rows: Readonly<Record<FoldTable, readonly (readonly SqlValue[])[]>>;
}

// Some thirty megabytes at the most, of a server that has so many users: looking one up in the file takes as long as all
// the rest of counting an event.
const MAX_CACHED_USERS = 250_000;
const MAX_CACHED_TYPES = 10_000;

interface TypeRow {
  readonly id: number;
  readonly count: number;
  readonly first_seen: Instant;
  readonly last_seen: Instant;
}

/** Gives out the next number of its kind. */
class Numbers {
  last = 0;

  next(): number {
    this.last += 1;
    return this.last;
  }
}

const newPlanNumber = (): number => Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);

const noRows = (): Record<FoldTable, SqlValue[][]> =>
  Object.fromEntries(TABLES.map((table) => [table, []])) as unknown as Record<FoldTable, SqlValue[][]>;

/** Makes plans of counting; it reads only, and may do so on a thread and a connection of its own. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the planner's statements and caches, and the steps that share them.
export function createFoldPlanner(db: Database) {
  const selectState = db.prepare<[], FoldState>(
    "select through, plan, users, types, properties from event_fold",
  );
  const uncounted = createUncounted(db);
  const selectUser = db.prepare<[string], number>("select number from event_users where user_id = ?").pluck();
  const selectUsers = db.prepare<[], { user_id: string; number: number }>(
    "select user_id, number from event_users",
  );
  const selectType = db.prepare<[string], TypeRow>(
    "select id, count, first_seen, last_seen from event_types where event_type = ?",
  );
  const numbers = { users: new Numbers(), types: new Numbers(), properties: new Numbers() };
  const hours = createHourPlanner(db);
  const properties = createPropertyPlanner(db, () => numbers.properties.next());

  // What the last plan came to. It is believed only while that plan is known to have been carried out.
  const users = new Map<string, number>();
  const types = new Map<string, TypeRow>();
  let expected: FoldState | undefined;
  // Then whoever is not remembered is new, and need not be looked up: most look-ups would be in vain.
  let knowsAllUsers = false;

  function rememberUsers(state: FoldState): void {
    if (users.size > MAX_CACHED_USERS) users.clear();
    if (users.size === 0 && state.users <= MAX_CACHED_USERS) {
      for (const { user_id, number } of selectUsers.iterate()) users.set(user_id, number);
    }
    knowsAllUsers = users.size === state.users;
  }

  function begin(state: FoldState): void {
    if (expected === undefined || !isSameState(expected, state)) {
      users.clear();
      types.clear();
      properties.forget();
    }
    if (properties.isFull()) properties.forget();
    rememberUsers(state);
    if (types.size > MAX_CACHED_TYPES) types.clear();
    for (const kind of ["users", "types", "properties"] as const) numbers[kind].last = state[kind];
  }

  function numberOf(userId: string, put: Put): number {
    const known = users.get(userId) ?? (knowsAllUsers ? undefined : selectUser.get(userId));
    const number = known ?? numbers.users.next();
    if (known === undefined) put("users", userId, number);
    users.set(userId, number);
    return number;
  }

  /**
   * A row that somebody else's program has inserted into the specified columns happened when it was created. What is no
   * time at all becomes now: it arrived some time before.
   */
  function timeOf(id: number, created_at: EventRow[5], put: Put): Instant {
    const created = fromSql(created_at ?? "");
    const time = Number.isNaN(created) ? Date.now() : created;
    put("times", time, id);
    return time;
  }

  function folded(
    [id, event_type, user, properties, occurred, created, hasBytes]: EventRow,
    put: Put,
  ): FoldedEvent {
    if (hasBytes === 1) put("bytes", id);
    return {
      id,
      event_type,
      user: user === null ? 0 : numberOf(user, put),
      properties,
      occurred_at: occurred ?? timeOf(id, created, put),
    };
  }

  function addType(eventType: string, growth: TypeGrowth, put: Put): void {
    const known = types.get(eventType) ?? selectType.get(eventType);
    const type = {
      id: known?.id ?? numbers.types.next(),
      count: (known?.count ?? 0) + growth.count,
      first_seen: Math.min(known?.first_seen ?? Number.POSITIVE_INFINITY, growth.first_seen),
      last_seen: Math.max(known?.last_seen ?? Number.NEGATIVE_INFINITY, growth.last_seen),
    };
    types.set(eventType, type);
    put("types", type.id, eventType, type.count, type.first_seen, type.last_seen);
    hours.addCounts(type.id, growth.counts, put);
    hours.addUsers(type.id, growth.users, put);
    hours.addPostings(type.id, growth.postings, put);
    for (const [name, property] of growth.properties) properties.add(type.id, name, property, put);
  }

  return {
    /** The plan of counting the next `most` events at most; undefined where all have been counted. */
    plan(most: number): FoldPlan | undefined {
      const before = selectState.get();
      if (before === undefined) throw new Error("the table event_fold has lost its row");
      begin(before);
      const rows = noRows();
      const put: Put = (table, ...row) => void rows[table].push(row);
      const events = uncounted.after(before.through, most);
      const last = events.at(-1);
      if (last === undefined) return undefined;
      const grown = growthOf(events.map((event) => folded(event, put)));
      for (const [eventType, growth] of grown) addType(eventType, growth, put);
      const all = growthOfAll(grown.values());
      hours.addCounts(ALL_TYPES, all.counts, put);
      hours.addUsers(ALL_TYPES, all.users, put);
      const { users: lastUser, types: lastType, properties: lastProperty } = numbers;
      const given = { users: lastUser.last, types: lastType.last, properties: lastProperty.last };
      expected = { through: last[0], plan: newPlanNumber(), ...given };
      return { before, after: expected, rows };
    },
  };
}
