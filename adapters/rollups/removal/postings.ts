import { entry } from "../build/growth.ts";
import { bytesOfUser, type Posting, type PostingsLeft, readPostings, withoutPostings } from "../formats.ts";
import { ALL_TYPES, type PostingsRow, type TypeRow } from "../store.ts";
import type { Work } from "../work.ts";
import type { RemovalStore, RemovedRows } from "./removed-rows.ts";

/** Whether an event is to be removed. It is asked once for each event. */
export type IsRemoved = (typeId: number, user: number, id: number) => boolean;

/** The events to remove among those of some hours: all of a user, or the ones that a function picks. */
export type Selection = { readonly hours: readonly number[] } & (
  | { readonly user: number }
  | { readonly isRemoved: IsRemoved }
);

/** The events of some hours, divided into those to remove and the others. */
export interface Found {
  /** By the event's id. */
  readonly removed: ReadonlyMap<number, Posting>;
  /** The rows that have events to remove, with their other events. */
  readonly changed: readonly { readonly row: PostingsRow; readonly left: PostingsLeft }[];
  /** The users with another event of the type, or of any type, in the hour. */
  readonly remaining: ReadonlyMap<string, ReadonlySet<number>>;
}

export const keyOfHour = (typeId: number, hour: number): string => `${typeId} ${hour}`;

const noUsers = (): Set<number> => new Set();

/** The rows that may have such events. */
function* searched(store: RemovalStore, types: readonly TypeRow[], selection: Selection) {
  const { hours } = selection;
  const ids = types.map(({ id }) => id);
  if (!("user" in selection))
    return { rows: yield* store.postingsAt(ids, hours), isRemoved: selection.isRemoved };
  const { user } = selection;
  const isRemoved: IsRemoved = (_type, who) => who === user;
  return { rows: yield* store.postingsWith(ids, hours, bytesOfUser(user)), isRemoved };
}

export function* findPostings(
  store: RemovalStore,
  types: readonly TypeRow[],
  selection: Selection,
): Work<Found> {
  const { rows, isRemoved } = yield* searched(store, types, selection);
  const removed = new Map<number, Posting>();
  const users = new Set<number>();
  const changed: { row: PostingsRow; left: PostingsLeft }[] = [];
  for (const row of rows) {
    const left = withoutPostings(row.entries, row.hour, (user, occurred_at, id) => {
      if (!isRemoved(row.type_id, user, id)) return false;
      removed.set(id, { user, occurred_at, id });
      users.add(user);
      return true;
    });
    if (left !== undefined) changed.push({ row, left });
  }
  return { removed, changed, remaining: "user" in selection ? new Map() : remainingIn(rows, users, removed) };
}

/** Of these users, those who have an event left. */
function remainingIn(
  rows: readonly PostingsRow[],
  users: ReadonlySet<number>,
  removed: ReadonlyMap<number, Posting>,
): Map<string, Set<number>> {
  const remaining = new Map<string, Set<number>>();
  if (users.size === 0) return remaining;
  for (const { type_id, hour, entries } of rows) {
    readPostings(entries, hour, (user, _time, id) => {
      if (!users.has(user) || removed.has(id)) return;
      entry(remaining, keyOfHour(type_id, hour), noUsers).add(user);
      entry(remaining, keyOfHour(ALL_TYPES, hour), noUsers).add(user);
    });
  }
  return remaining;
}

/** Writes the changed rows without the removed events. */
export function rewritePostings({ changed }: Found, rows: RemovedRows): void {
  for (const { row, left } of changed) {
    const { type_id, hour, part } = row;
    if (left.entries.length === 0) rows.emptied.postings.push({ type_id, hour, part });
    else rows.put.postings.push({ type_id, hour, part, ...left });
  }
}
