import { HOUR } from "../../../domain/time.ts";
import { entry } from "../build/growth.ts";
import { NO_POSTINGS, type Posting, readPostings, writePostings } from "../formats.ts";
import { ALL_TYPES, type PostingsRow, type TypeRow } from "../store.ts";
import type { Work } from "../work.ts";
import type { RemovalStore, RemovedRows } from "./removed-rows.ts";

/** Whether an event is to be removed. */
export type IsRemoved = (typeId: number, user: number, id: number) => boolean;

/** The events of some hours, divided into those to remove and the others. */
export interface Found {
  /** By the event's id. */
  readonly removed: ReadonlyMap<number, Posting>;
  /** The rows that have events to remove, with their other events. */
  readonly changed: readonly { readonly row: PostingsRow; readonly kept: readonly Posting[] }[];
  /** The users with another event of the type, or of any type, in the hour. */
  readonly remaining: ReadonlyMap<string, ReadonlySet<number>>;
}

export const keyOfHour = (typeId: number, hour: number): string => `${typeId} ${hour}`;

const noUsers = (): Set<number> => new Set();

export function* findPostings(
  store: RemovalStore,
  types: readonly TypeRow[],
  hours: readonly number[],
  isRemoved: IsRemoved,
): Work<Found> {
  const rows = yield* store.postingsAt(
    types.map(({ id }) => id),
    hours,
  );
  const removed = new Map<number, Posting>();
  const users = new Set<number>();
  const changed: { row: PostingsRow; kept: Posting[] }[] = [];
  for (const row of rows) {
    const kept: Posting[] = [];
    const before = removed.size;
    readPostings(row.entries, row.hour, (user, occurred_at, id) => {
      const posting = { user, occurred_at, id };
      if (!isRemoved(row.type_id, user, id)) kept.push(posting);
      else {
        removed.set(id, posting);
        users.add(user);
      }
    });
    if (removed.size > before) changed.push({ row, kept });
  }
  return { removed, changed, remaining: remainingIn(rows, users, removed) };
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
  for (const { row, kept } of changed) {
    const { type_id, hour, part } = row;
    const end = kept.at(-1);
    if (end === undefined) rows.emptied.postings.push({ type_id, hour, part });
    else {
      const entries = writePostings(kept, hour, NO_POSTINGS);
      const last_ms = end.occurred_at - hour * HOUR;
      rows.put.postings.push({ type_id, hour, part, last_ms, last_id: end.id, entries });
    }
  }
}
