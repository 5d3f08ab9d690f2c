import type { Database } from "better-sqlite3";
import type { Keeping } from "../../../domain/events/expiry.ts";
import type { Instant } from "../../../domain/time.ts";
import type { CountedEvent } from "../../rollups/kept-counts.ts";
import { ALL_HOURS, hoursOfUsers } from "../../rollups/reader.ts";
import { nextExpired, unusedUsers } from "../../rollups/removal/expired.ts";
import type { Selection } from "../../rollups/removal/postings.ts";
import { unusedValues } from "../../rollups/removal/properties.ts";
import { type LoadEvents, planRemoval, type Removal } from "../../rollups/removal/removal.ts";
import { noRemovedRows } from "../../rollups/removal/removed-rows.ts";
import type { PropertyRow } from "../../rollups/store.ts";
import { runNow } from "../../rollups/work.ts";
import { createRemovalStore, createStateReader, isCurrent } from "../reports/rollup-store.ts";

/** A plan holds for the build that it was made from, and is void after another one. */
interface AsOf {
  readonly build: number;
}

/** The events to delete, and how the rollups change with them. */
type Changes = Omit<Removal, "events"> & {
  /** The events whose number stays when they are deleted. */
  readonly counted: readonly CountedEvent[];
};

export type RemovalPlan = Changes & AsOf;

/** Keys of rows that belong to no event any more. */
export type UnusedKeys = AsOf & { readonly keys: readonly string[] };

/**
 * Plans removals. It reads as of one moment and writes nothing, so that it can run on another thread than the writes. An
 * answer is undefined while the rollups are of another version.
 */
export interface RemovalPlans {
  /** The hours in which the alias has events; none where the rollups do not know it. */
  hoursOf(alias: string): readonly number[];
  /** Removes the events of an alias in some hours; undefined also where the rollups do not know it. */
  ofUser(alias: string, hours: readonly number[]): RemovalPlan | undefined;
  /** Removes the next events that have expired, at most `most`. */
  ofExpired(keeping: Keeping, now: Instant, most: number): RemovalPlan | undefined;
  /** The values of a property that no event has. It looks at the lost values, or without them at all. */
  unusedValues(property: PropertyId, lost: ReadonlySet<number> | undefined): UnusedKeys | undefined;
  /** The ids of users who have no event, at most `most`. */
  unusedUsers(most: number): UnusedKeys | undefined;
}

export type PropertyId = Pick<PropertyRow, "id" | "type_id">;

const nothing = (): Changes => ({ rows: noRemovedRows(), ids: [], counted: [], needsRebuild: false });

export function createRemovalPlans(db: Database): RemovalPlans {
  const store = createRemovalStore(db);
  const readState = createStateReader(db);
  const numberOf = db.prepare<[string], number>("select number from event_users where user_id = ?").pluck();
  const select = db.prepare<[number], { id: number; event_type: string; properties: string | null }>(
    "select id, event_type, properties from events where id = ?",
  );

  const load: LoadEvents = function* (ids) {
    yield;
    return ids.flatMap((id) => select.get(id) ?? []);
  };

  /** Reads as of one moment, and adds the build of that moment. */
  function asOf<T extends object>(read: (users: number) => T | undefined): (T & AsOf) | undefined {
    return db.transaction(() => {
      const state = readState();
      const found = isCurrent(state) ? read(state.users) : undefined;
      return found && { ...found, build: state.build };
    })();
  }

  function planned(selection: Selection, keepsCounts = false): Changes {
    const { events, ...changes } = runNow(planRemoval(store, load, selection));
    const counted = events.map(({ event_type, occurred_at, user }) => ({ event_type, occurred_at, user }));
    return { ...changes, counted: keepsCounts ? counted : [] };
  }

  return {
    hoursOf(alias) {
      const user = numberOf.get(alias);
      return user === undefined ? [] : runNow(hoursOfUsers(store, [user], ALL_HOURS));
    },

    ofUser: (alias, hours) =>
      asOf(() => {
        const user = numberOf.get(alias);
        return user === undefined ? undefined : planned({ hours, user });
      }),

    ofExpired: (keeping, now, most) =>
      asOf(() => {
        const expired = runNow(nextExpired(store, keeping, now, most));
        return expired === undefined ? nothing() : planned(expired, keeping.counts);
      }),

    unusedValues: (property, lost) =>
      asOf(() => ({ keys: runNow(unusedValues(store, property, lost)).map(({ value }) => value) })),

    unusedUsers: (most) => asOf((users) => ({ keys: runNow(unusedUsers(store, users)).slice(0, most) })),
  };
}
