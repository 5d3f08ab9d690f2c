import { HOUR } from "../../../domain/time.ts";
import { joined } from "../bytes.ts";
import {
  dayOfHour,
  HOURS_A_DAY,
  NO_POSTINGS,
  readHours,
  readUsers,
  writeHours,
  writePostings,
  writeUsers,
} from "../formats.ts";
import type { BuildStore, DayKey, HourKey, PartKey, RollupRows } from "../store.ts";
import type { Work } from "../work.ts";
import { entry, type HourGrowth } from "./growth.ts";

/** The growth of figures by hour, for the id of each type. */
export type Growths = ReadonlyMap<number, HourGrowth>;

// The size up to which a part grows. A build rewrites the last part of an hour, so shorter parts mean less to rewrite.
const PART_BYTES = 4_000;

const keyOfHour = ({ type_id, hour }: HourKey): string => `${type_id} ${hour}`;
const keyOfDay = ({ type_id, day }: DayKey): string => `${type_id} ${day}`;

function* hourKeys<Item>(
  growths: Growths,
  itemsOf: (growth: HourGrowth) => ReadonlyMap<number, Item>,
): Generator<HourKey & { added: Item }> {
  for (const [type_id, growth] of growths) {
    for (const [hour, added] of itemsOf(growth)) yield { type_id, hour, added };
  }
}

/** The part to write to: the last one of the hour while it is short, else a new one behind it. */
function openPart<Row extends PartKey>(last: Row | undefined, length: number): { part: number; open?: Row } {
  if (last === undefined) return { part: 0 };
  return length < PART_BYTES ? { part: last.part, open: last } : { part: last.part + 1 };
}

function* addCounts(store: BuildStore, growths: Growths, rows: RollupRows): Work<void> {
  const added = new Map<string, DayKey & { hours: number[] }>();
  for (const { type_id, hour, added: count } of hourKeys(growths, ({ counts }) => counts)) {
    const day = dayOfHour(hour);
    const key = { type_id, day };
    const { hours } = entry(added, keyOfDay(key), () => ({ ...key, hours: new Array(HOURS_A_DAY).fill(0) }));
    const slot = hour - day * HOURS_A_DAY;
    hours[slot] = (hours[slot] ?? 0) + count;
  }
  for (const row of yield* store.hours([...added.values()])) {
    const hours = added.get(keyOfDay(row))?.hours ?? [];
    for (const [slot, count] of readHours(row.hours).entries()) hours[slot] = (hours[slot] ?? 0) + count;
  }
  for (const { type_id, day, hours } of added.values()) {
    rows.hours.push({ type_id, day, hours: writeHours(hours) });
  }
}

function* addVisitors(store: BuildStore, growths: Growths, rows: RollupRows): Work<void> {
  const wanted = [...hourKeys(growths, ({ users }) => users)];
  const stored = new Map((yield* store.lastVisitors(wanted)).map((row) => [keyOfHour(row), row]));
  for (const { type_id, hour, added } of wanted) {
    const last = stored.get(keyOfHour({ type_id, hour }));
    const { part, open } = openPart(last, last?.users.length ?? 0);
    const all = new Set(added);
    if (open !== undefined) readUsers(open.users, (user) => all.add(user));
    rows.visitors.push({ type_id, hour, part, users: writeUsers(Uint32Array.from(all).sort()) });
  }
}

function* addPostings(store: BuildStore, growths: Growths, rows: RollupRows): Work<void> {
  const wanted = [...hourKeys(growths, ({ postings }) => postings)];
  const stored = new Map((yield* store.lastPostings(wanted)).map((row) => [keyOfHour(row), row]));
  for (const { type_id, hour, added } of wanted) {
    const end = added.at(-1);
    if (end === undefined) continue;
    const last = stored.get(keyOfHour({ type_id, hour }));
    const { part, open } = openPart(last, last?.entries.length ?? 0);
    const written = writePostings(added, hour, open ?? NO_POSTINGS);
    const entries = open === undefined ? written : joined(open.entries, written);
    const last_ms = end.occurred_at - hour * HOUR;
    rows.postings.push({ type_id, hour, part, last_ms, last_id: end.id, entries });
  }
}

/** Adds counts, users and postings to their hours. */
export function* addHours(store: BuildStore, growths: Growths, rows: RollupRows): Work<void> {
  yield* addCounts(store, growths, rows);
  yield* addVisitors(store, growths, rows);
  yield* addPostings(store, growths, rows);
}
