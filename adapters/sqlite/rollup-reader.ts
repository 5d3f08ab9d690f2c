import type { Database } from "better-sqlite3";
import { bucketAt } from "../../domain/reports/buckets.ts";
import { HOUR, type Instant } from "../../domain/time.ts";
import { entry } from "./fold.ts";
import { ALL_TYPES } from "./fold-plan.ts";
import type { Patience } from "./patience.ts";
import { nameToSql } from "./property-names.ts";
import {
  dayOfHour,
  HOURS_A_DAY,
  hasUser,
  hourOf,
  readHours,
  readPostings,
  readValueCounts,
} from "./rollup-formats.ts";

/** Hours from the first until the last, both included. */
export interface HourSpan {
  readonly first: number;
  readonly last: number;
}

export const spanOf = (from: Instant, to: Instant): HourSpan => ({
  first: hourOf(from),
  last: hourOf(to - 1),
});

/** Said of an hour that lies in more than one bucket, or partly in none: its events have to be looked at one by one. */
export const CUT = -2;

/** The bucket that all of an hour lies in; -1 where it lies in none. */
export function bucketOfHour(edges: readonly Instant[], hour: number): number {
  const start = hour * HOUR;
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((edges[middle] ?? 0) <= start) low = middle + 1;
    else high = middle;
  }
  if (low < edges.length && (edges[low] ?? 0) < start + HOUR) return CUT;
  return low < edges.length ? low - 1 : -1;
}

type VisitPosting = (user: number, occurredAt: Instant, id: number) => void;

interface HourRow {
  hour: number;
  bytes: Buffer;
}

export interface PropertyState {
  readonly id: number;
  /** Null where the values have not been counted. */
  readonly kept_values: number | null;
}

const ROWS_A_CHECK = 256;

/** Reads what is kept of the events. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the reader's statements, prepared once, and the reads that share them.
export function createRollupReader(db: Database) {
  const selectFold = db.prepare<[], { through: number; users: number }>(
    "select through, users from event_fold",
  );
  const selectType = db.prepare<[string], number>("select id from event_types where event_type = ?").pluck();
  const selectTypes = db.prepare<[], number>("select id from event_types").pluck();
  const selectHours = db.prepare<[number, number, number], { day: number; hours: Buffer }>(
    "select day, hours from event_hours where type_id = ? and day between ? and ? order by day",
  );
  const selectVisitors = db.prepare<[number, number, number], HourRow>(
    "select hour, users as bytes from event_visitors where type_id = ? and hour between ? and ? order by hour",
  );
  const selectPostings = db.prepare<[number, number, number], HourRow>(
    "select hour, entries as bytes from event_postings where type_id = ? and hour between ? and ? order by hour",
  );
  const selectProperty = db.prepare<[number, string | Uint8Array], PropertyState>(
    "select id, kept_values from event_properties where type_id = ? and name = ?",
  );
  const selectValues = db.prepare<[number], { value: string; number: number }>(
    "select value, number from event_values where property_id = ?",
  );
  const selectValueHours = db.prepare<[number, number, number], HourRow>(
    "select hour, counts as bytes from event_value_hours where property_id = ? and hour between ? and ?",
  );
  const selectUser = db.prepare<[string], number>("select number from event_users where user_id = ?").pluck();
  const selectVisitorsBack = db.prepare<[number, number, number], HourRow>(
    `select hour, users as bytes from event_visitors
     where type_id = ? and hour between ? and ? order by hour desc`,
  );
  const selectPostingsHour = db
    .prepare<[number, number], number | null>(
      "select max(hour) from event_postings where type_id = ? and hour < ?",
    )
    .pluck();
  const selectProperties = db
    .prepare<[number], string | null>("select properties from events where id = ?")
    .pluck();

  function visitHours(
    day: number,
    bytes: Buffer,
    { first, last }: HourSpan,
    visit: (hour: number, count: number) => void,
  ): void {
    for (const [slot, count] of readHours(bytes).entries()) {
      const hour = day * HOURS_A_DAY + slot;
      if (count > 0 && hour >= first && hour <= last) visit(hour, count);
    }
  }

  const daysOf = ({ first, last }: HourSpan) => [dayOfHour(first), dayOfHour(last)] as const;

  return {
    /** The events that the figures have in them are those up to this id; users are numbered up to this number. */
    state: () => selectFold.get() ?? { through: 0, users: 0 },

    typeId: (eventType: string): number | undefined => selectType.get(eventType),

    property: (typeId: number, name: string): PropertyState | undefined =>
      selectProperty.get(typeId, nameToSql(name)),

    /** The ids of a type, or of all types there are. */
    idsOf: (typeId: number): number[] => (typeId === ALL_TYPES ? selectTypes.all() : [typeId]),

    counts(typeId: number, span: HourSpan, visit: (hour: number, count: number) => void): void {
      for (const { day, hours } of selectHours.iterate(typeId, ...daysOf(span)))
        visitHours(day, hours, span, visit);
    },

    /** The values of a property, as JSON, by their numbers. */
    values: (propertyId: number): ReadonlyMap<number, string> =>
      new Map(selectValues.all(propertyId).map(({ value, number }) => [number, value])),

    /** How many events have each value of a property, hour by hour. */
    valueCounts(
      propertyId: number,
      { first, last }: HourSpan,
      visit: (value: number, hour: number, count: number) => void,
    ): void {
      for (const { hour, bytes } of selectValueHours.iterate(propertyId, first, last)) {
        readValueCounts(bytes, (value, count) => visit(value, hour, count));
      }
    },

    /** The hours with users in their order; an hour may come several times, and a user within it too. */
    visitors({ typeId, span, patience }: Wanted, visit: (hour: number, users: Buffer) => void): void {
      let rows = 0;
      for (const { hour, bytes } of selectVisitors.iterate(typeId, span.first, span.last)) {
        if (rows++ % ROWS_A_CHECK === 0) patience.check();
        visit(hour, bytes);
      }
    },

    /** The events of one type, in the order of their hours. */
    postings({ typeId, span, patience }: Wanted, visit: VisitPosting): void {
      let rows = 0;
      for (const { hour, bytes } of selectPostings.iterate(typeId, span.first, span.last)) {
        if (rows++ % ROWS_A_CHECK === 0) patience.check();
        readPostings(bytes, hour, visit);
      }
    },

    /** The hours in which this user had an event of any type, latest first. */
    *hoursOf(user: number, { first, last }: HourSpan, patience: Patience): Generator<number> {
      let rows = 0;
      let found: number | undefined;
      for (const { hour, bytes } of selectVisitorsBack.iterate(ALL_TYPES, first, last)) {
        if (rows++ % ROWS_A_CHECK === 0) patience.check();
        if (hour === found || !hasUser(bytes, user)) continue;
        found = hour;
        yield hour;
      }
    },

    /** The latest hour before this one with an event of any of these types. */
    postingsHour(typeIds: readonly number[], before: number): number | undefined {
      const hours = typeIds.flatMap((typeId) => selectPostingsHour.get(typeId, before) ?? []);
      return hours.length === 0 ? undefined : Math.max(...hours);
    },

    userNumber: (userId: string): number | undefined => selectUser.get(userId),

    /** The text of an event's properties. */
    properties: (id: number): string | null => selectProperties.get(id) ?? null,
  };
}
export type RollupReader = ReturnType<typeof createRollupReader>;

interface Wanted {
  readonly typeId: number;
  readonly span: HourSpan;
  readonly patience: Patience;
}

interface CutHour {
  readonly typeId: number;
  readonly hour: number;
  readonly edges: readonly Instant[];
  readonly patience: Patience;
}

/** The events of a type, or of all types, in one hour, each with the bucket that it lies in. */
export function eachInBuckets(
  reader: RollupReader,
  { typeId, hour, edges, patience }: CutHour,
  visit: (bucket: number, user: number, id: number) => void,
): void {
  for (const id of reader.idsOf(typeId)) {
    reader.postings(
      { typeId: id, span: { first: hour, last: hour }, patience },
      (user, occurredAt, event) => {
        const bucket = bucketAt(edges, occurredAt);
        if (bucket >= 0) visit(bucket, user, event);
      },
    );
  }
}

/**
 * Their users, one bucket after the other: those who have not been seen in it last, with the bucket in which they were (-1
 * for none). They are marked as seen.
 */
export function eachNewUserInBuckets(
  reader: RollupReader,
  cut: CutHour,
  seenIn: Int32Array,
  visit: (user: number, bucket: number, before: number) => void,
): void {
  const buckets = new Map<number, Set<number>>();
  eachInBuckets(reader, cut, (bucket, user) => {
    if (user > 0) entry(buckets, bucket, () => new Set()).add(user);
  });
  for (const [bucket, users] of [...buckets].sort(([a], [b]) => a - b)) {
    for (const user of users) {
      const before = seenIn[user] as number;
      if (before === bucket) continue;
      seenIn[user] = bucket;
      visit(user, bucket, before);
    }
  }
}
