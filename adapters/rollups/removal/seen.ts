import type { Instant } from "../../../domain/time.ts";
import type { TypeGrowth } from "../build/growth.ts";
import { dayOfHour, HOURS_A_DAY, hourOf, readHours, readPostings } from "../formats.ts";
import type { TypeRow } from "../store.ts";
import type { Work } from "../work.ts";
import type { Found } from "./postings.ts";
import type { RemovalStore } from "./removed-rows.ts";

type Seen = Pick<TypeRow, "first_seen" | "last_seen">;

const dayOf = (instant: Instant): number => dayOfHour(hourOf(instant));

/** The hours in which events of the type remain, in order. */
function* hoursLeft(
  store: RemovalStore,
  { id }: TypeRow,
  { counts }: TypeGrowth,
  days: readonly [first: number, last: number],
): Work<number[]> {
  return (yield* store.hoursBetween(id, ...days))
    .flatMap(({ day, hours }) =>
      readHours(hours).map((count, slot) => {
        const hour = day * HOURS_A_DAY + slot;
        return { hour, count: count - (counts.get(hour) ?? 0) };
      }),
    )
    .filter(({ count }) => count > 0)
    .map(({ hour }) => hour)
    .sort((a, b) => a - b);
}

// The end of a type is most often near the removed one.
const STRETCHES = [1, 30, Number.POSITIVE_INFINITY];

/** The hours that remain near one end of the type: all of a stretch of days that has some. */
function* hoursAt(store: RemovalStore, row: TypeRow, lost: TypeGrowth, end: keyof Seen): Work<number[]> {
  const [first, last] = [dayOf(row.first_seen), dayOf(row.last_seen)];
  for (const days of STRETCHES) {
    const stretch =
      end === "first_seen"
        ? ([first, Math.min(last, first + days)] as const)
        : ([Math.max(first, last - days), last] as const);
    const hours = yield* hoursLeft(store, row, lost, stretch);
    if (hours.length > 0) return hours;
  }
  return [];
}

/** The times of the type's remaining events in an hour. */
function* timesIn(store: RemovalStore, { id }: TypeRow, hour: number, { removed }: Found): Work<Instant[]> {
  const times: Instant[] = [];
  for (const { entries } of yield* store.postingsAt([id], [hour])) {
    readPostings(entries, hour, (_user, time, event) => {
      if (!removed.has(event)) times.push(time);
    });
  }
  return times;
}

/** When a type was first and last seen without the removed events. */
export function* seenOf(store: RemovalStore, row: TypeRow, lost: TypeGrowth, found: Found): Work<Seen> {
  let { first_seen, last_seen } = row;
  if (lost.first_seen <= first_seen) {
    const [hour = 0] = yield* hoursAt(store, row, lost, "first_seen");
    const times = yield* timesIn(store, row, hour, found);
    first_seen = times.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  }
  if (lost.last_seen >= last_seen) {
    const hours = yield* hoursAt(store, row, lost, "last_seen");
    const times = yield* timesIn(store, row, hours.at(-1) ?? 0, found);
    last_seen = times.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  }
  return { first_seen, last_seen };
}
