import type { Instant } from "../../../domain/time.ts";
import type { TypeGrowth } from "../build/growth.ts";
import { HOURS_A_DAY, readHours, readPostings } from "../formats.ts";
import type { TypeRow } from "../store.ts";
import type { Work } from "../work.ts";
import type { Found } from "./postings.ts";
import type { RemovalStore } from "./removed-rows.ts";

// Wider than the days that an event can have.
const EVER = { first: -10_000_000, last: 10_000_000 };

type Seen = Pick<TypeRow, "first_seen" | "last_seen">;

/** The hours in which events of the type remain, in order. */
function* hoursLeft(store: RemovalStore, { id }: TypeRow, { counts }: TypeGrowth): Work<number[]> {
  const days = yield* store.hoursBetween(id, EVER.first, EVER.last);
  return days
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
  const { first_seen, last_seen } = row;
  if (lost.first_seen > first_seen && lost.last_seen < last_seen) return { first_seen, last_seen };
  const hours = yield* hoursLeft(store, row, lost);
  const first = yield* timesIn(store, row, hours[0] ?? 0, found);
  const last = yield* timesIn(store, row, hours.at(-1) ?? 0, found);
  const earliest = first.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const latest = last.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return { first_seen: earliest, last_seen: latest };
}
