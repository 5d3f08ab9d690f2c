import type { Database } from "better-sqlite3";
import { HOUR } from "../../domain/time.ts";
import { joined } from "./bytes.ts";
import { entry } from "./fold.ts";
import type { Put } from "./fold-plan.ts";
import {
  dayOfHour,
  FIRST,
  HOURS_A_DAY,
  type Mark,
  type Posting,
  readHours,
  readUsers,
  writeHours,
  writePostings,
  writeUsers,
} from "./rollup-formats.ts";

// What is rewritten when an hour grows; a longer part is left alone, and another begun.
const PART_BYTES = 4_000;

interface Part {
  part: number;
  bytes: Buffer;
}

/** The part to write to: the last one while it is short, else the one after it. */
function openPart<P extends Part>(last: P | undefined): { part: number; open: P | undefined } {
  if (last === undefined) return { part: 0, open: undefined };
  if (last.bytes.length < PART_BYTES) return { part: last.part, open: last };
  return { part: last.part + 1, open: undefined };
}

/** What counts, users and events of a type, hour by hour, become with some more of them. */
export function createHourPlanner(db: Database) {
  const selectHours = db
    .prepare<[number, number], Buffer>("select hours from event_hours where type_id = ? and day = ?")
    .pluck();
  const selectUsers = db.prepare<[number, number], Part>(
    `select part, users as bytes from event_visitors
     where type_id = ? and hour = ? order by part desc limit 1`,
  );
  const selectPostings = db.prepare<[number, number], Part & Mark>(
    `select part, entries as bytes, last_ms as ms, last_id as id from event_postings
     where type_id = ? and hour = ? order by part desc limit 1`,
  );

  function storedHours(typeId: number, day: number): number[] {
    const stored = selectHours.get(typeId, day);
    return stored === undefined ? new Array(HOURS_A_DAY).fill(0) : readHours(stored);
  }

  return {
    addCounts(typeId: number, counts: ReadonlyMap<number, number>, put: Put): void {
      const days = new Map<number, number[]>();
      for (const [hour, count] of counts) {
        const day = dayOfHour(hour);
        const hours = entry(days, day, () => storedHours(typeId, day));
        const slot = hour - day * HOURS_A_DAY;
        hours[slot] = (hours[slot] ?? 0) + count;
      }
      for (const [day, hours] of days) put("hours", typeId, day, writeHours(hours));
    },

    addUsers(typeId: number, hours: ReadonlyMap<number, ReadonlySet<number>>, put: Put): void {
      for (const [hour, added] of hours) {
        const { part, open } = openPart(selectUsers.get(typeId, hour));
        const all = new Set(added);
        if (open !== undefined) readUsers(open.bytes, (user) => all.add(user));
        put("visitors", typeId, hour, part, writeUsers(Uint32Array.from(all).sort()));
      }
    },

    addPostings(typeId: number, hours: ReadonlyMap<number, readonly Posting[]>, put: Put): void {
      for (const [hour, added] of hours) {
        const end = added.at(-1);
        if (end === undefined) continue;
        const { part, open } = openPart(selectPostings.get(typeId, hour));
        const written = writePostings(added, hour, open ?? FIRST);
        const bytes = open === undefined ? written : joined(open.bytes, written);
        put("postings", typeId, hour, part, end.occurred_at - hour * HOUR, end.id, bytes);
      }
    },
  };
}
