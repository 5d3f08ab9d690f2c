import type { Instant } from "../../../domain/time.ts";
import {
  ALL_TYPES,
  type BuildStore,
  type Built,
  noRows,
  type RollupRows,
  type RollupState,
  userKey,
} from "../store.ts";
import type { Work } from "../work.ts";
import { GrowthTally, type HourGrowth, type NumberedEvent, sumOf, type TypeGrowth } from "./growth.ts";
import { addHours } from "./hours.ts";
import { PropertyBuilder } from "./properties.ts";

/** A stored event that the rollups do not contain yet. */
export interface UnbuiltEvent {
  readonly id: number;
  readonly event_type: string;
  readonly user_id: string | null;
  readonly properties: string | null;
  readonly occurred_at: Instant;
}

// Some thirty megabytes on a server with that many users. Looking a user up takes as long as the rest of an event.
const MAX_CACHED_USERS = 250_000;
const MAX_CACHED_TYPES = 10_000;

type Type = Pick<TypeGrowth, "count" | "first_seen" | "last_seen"> & { readonly id: number };

const newType = (id: number): Type => ({
  id,
  count: 0,
  first_seen: Number.POSITIVE_INFINITY,
  last_seen: Number.NEGATIVE_INFINITY,
});

export interface BuilderOptions {
  /** Reads all users once, where they fit into memory, instead of looking up each. */
  readonly loadsAllUsers: boolean;
  /** A build ends with the event that changes about this many rows, not counting those of new users. */
  readonly maxRows: number;
}

/** A few milliseconds of writing, between which other writes get their turn. */
export const ROWS_A_BUILD = 1_000;

/** Assigns the next number of its kind. */
class Numbers {
  last = 0;

  next = (): number => {
    this.last += 1;
    return this.last;
  };
}

/**
 * Works out the rows that a batch of events changes. It remembers users, types and properties from one build to the next
 * for as long as the state shows that the rows of its last build were put.
 */
export class RollupBuilder {
  readonly #loadsAllUsers: boolean;
  readonly #maxRows: number;
  readonly #numbers = { users: new Numbers(), types: new Numbers(), properties: new Numbers() };
  readonly #properties = new PropertyBuilder(this.#numbers.properties.next);
  readonly #users = new Map<string, number>();
  readonly #types = new Map<string, Type>();
  #expected: number | undefined;

  constructor({ loadsAllUsers, maxRows }: BuilderOptions) {
    this.#loadsAllUsers = loadsAllUsers;
    this.#maxRows = maxRows;
  }

  /** Builds the first of the events. `build` identifies this build: a number that no other build has. */
  *build(
    store: BuildStore,
    before: RollupState,
    events: readonly UnbuiltEvent[],
    build: number,
  ): Work<Built> {
    yield* this.#begin(store, before);
    const rows = noRows();
    yield* this.#numberUsers(store, events, rows);
    yield* this.#loadTypes(store, events);
    const tally = new GrowthTally((event_type, name) => {
      const type = this.#types.get(event_type);
      return type === undefined ? "counted" : this.#properties.keepingOf(type.id, name);
    });
    const { types: grown, taken } = tally.take(this.#numbered(events), this.#maxRows);
    yield* this.#addTypes(store, grown, rows);
    this.#expected = build;
    const { users, types, properties } = this.#numbers;
    const after = { build, users: users.last, types: types.last, properties: properties.last };
    return { before, after, rows, taken };
  }

  *#begin(store: BuildStore, state: RollupState): Work<void> {
    if (this.#expected !== state.build) {
      this.#users.clear();
      this.#types.clear();
      this.#properties.forget();
    }
    this.#expected = undefined;
    if (this.#properties.isFull()) this.#properties.forget();
    if (this.#types.size > MAX_CACHED_TYPES) this.#types.clear();
    if (this.#users.size > MAX_CACHED_USERS) this.#users.clear();
    if (this.#loadsAllUsers && this.#users.size === 0 && state.users <= MAX_CACHED_USERS) {
      for (const { user_id, number } of yield* store.users()) this.#users.set(user_id, number);
    }
    for (const kind of ["users", "types", "properties"] as const) this.#numbers[kind].last = state[kind];
  }

  *#numberUsers(store: BuildStore, events: readonly UnbuiltEvent[], rows: RollupRows): Work<void> {
    const unknown = new Set<string>();
    for (const { user_id } of events) {
      if (user_id !== null && !this.#users.has(userKey(user_id))) unknown.add(userKey(user_id));
    }
    // Where all users are known, the others are new: most look-ups would find nothing.
    if (this.#users.size < this.#numbers.users.last) {
      for (const { user_id, number } of yield* store.users([...unknown])) this.#users.set(user_id, number);
    }
    for (const user_id of unknown) {
      if (this.#users.has(user_id)) continue;
      const number = this.#numbers.users.next();
      this.#users.set(user_id, number);
      rows.users.push({ user_id, number });
    }
  }

  *#numbered(events: readonly UnbuiltEvent[]): Generator<NumberedEvent> {
    for (const { id, event_type, user_id, properties, occurred_at } of events) {
      const user = user_id === null ? 0 : (this.#users.get(userKey(user_id)) ?? 0);
      yield { id, event_type, user, properties, occurred_at };
    }
  }

  *#loadTypes(store: BuildStore, events: readonly UnbuiltEvent[]): Work<void> {
    const types = [...new Set(events.map(({ event_type }) => event_type))];
    const unknown = types.filter((type) => !this.#types.has(type));
    for (const { event_type, ...type } of yield* store.types(unknown)) this.#types.set(event_type, type);
    const known = types.flatMap((type) => this.#types.get(type)?.id ?? []);
    yield* this.#properties.begin(store, known);
  }

  *#addTypes(store: BuildStore, grown: ReadonlyMap<string, TypeGrowth>, rows: RollupRows): Work<void> {
    const growths = new Map<number, HourGrowth>();
    const properties = [...grown].map(([event_type, growth]) => {
      const type = this.#growType(event_type, growth);
      rows.types.push({ ...type, event_type });
      growths.set(type.id, growth);
      return { type_id: type.id, properties: growth.properties };
    });
    growths.set(ALL_TYPES, sumOf(grown.values()));
    yield* addHours(store, growths, rows);
    yield* this.#properties.add(store, properties, rows);
  }

  #growType(event_type: string, growth: TypeGrowth): Type {
    const known = this.#types.get(event_type) ?? newType(this.#numbers.types.next());
    const type = {
      id: known.id,
      count: known.count + growth.count,
      first_seen: Math.min(known.first_seen, growth.first_seen),
      last_seen: Math.max(known.last_seen, growth.last_seen),
    };
    this.#types.set(event_type, type);
    return type;
  }
}
