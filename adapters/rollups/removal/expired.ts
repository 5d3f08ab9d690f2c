import { firstKeptHour, type Keeping } from "../../../domain/events/expiry.ts";
import type { Instant } from "../../../domain/time.ts";
import { hourOf, readUsers } from "../formats.ts";
import { ALL_HOURS, eachVisitors } from "../reader.ts";
import { ALL_TYPES, type QuestionStore } from "../store.ts";
import type { Work } from "../work.ts";
import type { Selection } from "./postings.ts";

/** The next events to remove, at most `most`, the earliest hour first; undefined where none are due. */
export function* nextExpired(
  store: QuestionStore,
  keeping: Keeping,
  now: Instant,
  most: number,
): Work<Selection | undefined> {
  const types = (yield* store.types()).map(({ id, event_type, first_seen }) => ({
    id,
    earliest: hourOf(first_seen),
    end: firstKeptHour(keeping, event_type, now),
  }));
  const due = types.filter(({ earliest, end }) => earliest < end);
  if (due.length === 0) return undefined;
  const hour = due.reduce((first, { earliest }) => Math.min(first, earliest), Number.POSITIVE_INFINITY);
  const ids = new Set(due.filter(({ end }) => hour < end).map(({ id }) => id));
  let picked = 0;
  const isRemoved = (typeId: number): boolean => {
    if (picked === most || !ids.has(typeId)) return false;
    picked += 1;
    return true;
  };
  return { hours: [hour], isRemoved };
}

/** The ids of users who have no event any more. Users are numbered up to `users`. */
export function* unusedUsers(store: QuestionStore, users: number): Work<string[]> {
  const used = new Uint8Array(users + 1);
  yield* eachVisitors(store, ALL_TYPES, ALL_HOURS, (row) => {
    readUsers(row.users, (user) => {
      used[user] = 1;
    });
    return undefined;
  });
  const unused: string[] = [];
  for (const { user_id, number } of yield* store.users()) if (used[number] !== 1) unused.push(user_id);
  return unused;
}
