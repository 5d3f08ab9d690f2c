import type { Growths } from "../build/hours.ts";
import { dayOfHour, HOURS_A_DAY, hasUser, readHours, withoutUsers, writeHours } from "../formats.ts";
import type { VisitorsRow } from "../store.ts";
import type { Work } from "../work.ts";
import { type Found, keyOfHour, rewritePostings } from "./postings.ts";
import type { RemovalStore, RemovedRows } from "./removed-rows.ts";

/** Takes counts away from their hours. */
export function* emptyHours(store: RemovalStore, losses: Growths, rows: RemovedRows): Work<void> {
  const keys = new Map<string, { type_id: number; day: number }>();
  for (const [type_id, { counts }] of losses) {
    for (const hour of counts.keys())
      keys.set(`${type_id} ${dayOfHour(hour)}`, { type_id, day: dayOfHour(hour) });
  }
  for (const { type_id, day, hours } of yield* store.hours([...keys.values()])) {
    const counts = losses.get(type_id)?.counts;
    const left = readHours(hours).map((count, slot) => count - (counts?.get(day * HOURS_A_DAY + slot) ?? 0));
    if (left.every((count) => count === 0)) rows.emptied.hours.push({ type_id, day });
    else rows.put.hours.push({ type_id, day, hours: writeHours(left) });
  }
}

/** The users whose last event of a type, or of any type, in an hour is removed. */
function usersGone(losses: Growths, { remaining }: Found): Map<string, Set<number>> {
  const gone = new Map<string, Set<number>>();
  for (const [typeId, { users: byHour }] of losses) {
    for (const [hour, users] of byHour) {
      const key = keyOfHour(typeId, hour);
      const left = new Set([...users].filter((user) => remaining.get(key)?.has(user) !== true));
      if (left.size > 0) gone.set(key, left);
    }
  }
  return gone;
}

function rewriteVisitors(
  { type_id, hour, part, users }: VisitorsRow,
  gone: ReadonlySet<number>,
  rows: RemovedRows,
) {
  const left = hasUser(
    users,
    [...gone].sort((a, b) => a - b),
  )
    ? withoutUsers(users, gone)
    : undefined;
  if (left === undefined) return;
  if (left.length === 0) rows.emptied.visitors.push({ type_id, hour, part });
  else rows.put.visitors.push({ type_id, hour, part, users: left });
}

/** Takes events and users out of the parts of their hours. */
export function* emptyParts(
  store: RemovalStore,
  losses: Growths,
  found: Found,
  rows: RemovedRows,
): Work<void> {
  const gone = usersGone(losses, found);
  const hours = new Set([...losses.values()].flatMap(({ users }) => [...users.keys()]));
  for (const row of yield* store.visitorsAt([...losses.keys()], [...hours])) {
    const users = gone.get(keyOfHour(row.type_id, row.hour));
    if (users !== undefined) rewriteVisitors(row, users, rows);
  }
  rewritePostings(found, rows);
}
