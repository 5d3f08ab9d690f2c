import { bucketAt } from "../../domain/reports/buckets.ts";
import { HOUR, type Instant } from "../../domain/time.ts";
import { entry } from "./build/growth.ts";
import { dayOfHour, HOURS_A_DAY, hasUser, hourOf, readHours, readPostings } from "./formats.ts";
import { type PersonNumbers, personOf } from "./questions/people.ts";
import {
  ALL_TYPES,
  type HourSpan,
  type Page,
  type PageStart,
  type PartKey,
  type PostingsRow,
  type QuestionStore,
  type VisitorsRow,
} from "./store.ts";
import { begun, type Work } from "./work.ts";

/** The id of a type that has no events. */
export const NO_TYPE = -1;

/** Wider than the hours that events can have. */
export const ALL_HOURS: HourSpan = { first: -250_000_000, last: 250_000_000 };

/** The hours that a range of time touches. */
export const spanOf = (from: Instant, to: Instant): HourSpan => ({
  first: hourOf(from),
  last: hourOf(to - 1),
});

/** Marks an hour that lies in several buckets, or only partly in one: its events are looked at one by one. */
export const CUT = -2;

/** The bucket that contains the whole hour; -1 where it is in none. */
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

/** The id of an event type; null stands for all types. */
export function* typeIdOf(store: QuestionStore, eventType: string | null): Work<number> {
  if (eventType === null) return ALL_TYPES;
  const [type] = yield* store.types([eventType]);
  return type?.id ?? NO_TYPE;
}

/** The ids that a type id stands for: all types' ids for ALL_TYPES. */
export function* idsOf(store: QuestionStore, typeId: number): Work<number[]> {
  return typeId === ALL_TYPES ? (yield* store.types()).map(({ id }) => id) : [typeId];
}

/** Visits the number of events of each hour in which there are any, in any order. */
export function* eachCount(
  store: QuestionStore,
  typeId: number,
  { first, last }: HourSpan,
  visit: (hour: number, count: number) => void,
): Work<void> {
  for (const { day, hours } of yield* store.hoursBetween(typeId, dayOfHour(first), dayOfHour(last))) {
    for (const [slot, count] of readHours(hours).entries()) {
      const hour = day * HOURS_A_DAY + slot;
      if (count > 0 && hour >= first && hour <= last) visit(hour, count);
    }
  }
}

/** Visits the rows of a span page by page, in the order of hours and parts. The next page is read meanwhile. */
function* eachRow<Row extends PartKey>(
  load: (start: PageStart) => Work<Page<Row>>,
  type_id: number,
  { first, last }: HourSpan,
  visit: (row: Row) => Work<void> | undefined,
): Work<void> {
  let next: Work<Page<Row>> | undefined = load({ type_id, last, after: { hour: first, part: -1 } });
  while (next !== undefined) {
    const page: Page<Row> = yield* next;
    const after = page.isLast ? undefined : page.rows.at(-1);
    next = after && begun(load({ type_id, last, after }));
    for (const row of page.rows) {
      const work = visit(row);
      if (work !== undefined) yield* work;
    }
  }
}

/** Visits the users of each hour. An hour may be visited several times, and a user within it too. */
export const eachVisitors = (
  store: QuestionStore,
  typeId: number,
  span: HourSpan,
  visit: (row: VisitorsRow) => Work<void> | undefined,
): Work<void> => eachRow(store.visitorsPage, typeId, span, visit);

/** The hours of a span in which one of the users had an event of any type, latest first. */
export function* hoursOfUsers(store: QuestionStore, users: Iterable<number>, span: HourSpan): Work<number[]> {
  const hours = new Set<number>();
  const rising = [...users].sort((a, b) => a - b);
  yield* eachVisitors(store, ALL_TYPES, span, (row) => {
    if (!hours.has(row.hour) && hasUser(row.users, rising)) hours.add(row.hour);
    return undefined;
  });
  return [...hours].sort((a, b) => b - a);
}

export const eachPostings = (
  store: QuestionStore,
  typeId: number,
  span: HourSpan,
  visit: (row: PostingsRow) => Work<void> | undefined,
): Work<void> => eachRow(store.postingsPage, typeId, span, visit);

type VisitInBucket = (bucket: number, user: number, id: number) => void;

// Enough hours for a month's report in a zone of half hours; few enough to hold their events in memory.
const HOURS_AT_ONCE = 64;

/** The events of the hours that edges cut, loaded many hours at once. Hours are asked for in rising order. */
export class CutHours {
  readonly #store: QuestionStore;
  readonly #typeId: number;
  readonly #edges: readonly Instant[];
  readonly hours: readonly number[];
  #loaded = new Map<number, PostingsRow[]>();
  #next = 0;
  #ids: number[] | undefined;

  constructor(store: QuestionStore, typeId: number, edges: readonly Instant[]) {
    this.#store = store;
    this.#typeId = typeId;
    this.#edges = edges;
    const cut = edges.filter((edge) => Number.isFinite(edge) && edge % HOUR !== 0);
    this.hours = [...new Set(cut.map(hourOf))];
  }

  /** Visits the events of one hour, each with the bucket it lies in. */
  *each(hour: number, visit: VisitInBucket): Work<void> {
    while (!this.#loaded.has(hour) && this.#next < this.hours.length) yield* this.#load();
    for (const { entries } of this.#loaded.get(hour) ?? []) {
      readPostings(entries, hour, (user, occurredAt, id) => {
        const bucket = bucketAt(this.#edges, occurredAt);
        if (bucket >= 0) visit(bucket, user, id);
      });
    }
  }

  *all(visit: VisitInBucket): Work<void> {
    for (const hour of this.hours) yield* this.each(hour, visit);
  }

  *#load(): Work<void> {
    this.#ids ??= yield* idsOf(this.#store, this.#typeId);
    const hours = this.hours.slice(this.#next, this.#next + HOURS_AT_ONCE);
    this.#next += hours.length;
    this.#loaded = new Map(hours.map((hour) => [hour, []]));
    for (const row of yield* this.#store.postingsAt(this.#ids, hours)) this.#loaded.get(row.hour)?.push(row);
  }

  /**
   * Visits the users of one hour, bucket by bucket, whose last bucket is another one: with the bucket, and their last one
   * before (-1 for none). It becomes their last bucket.
   */
  *eachNewUser(
    hour: number,
    seenIn: Int32Array,
    persons: PersonNumbers | undefined,
    visit: (bucket: number, before: number) => void,
  ): Work<void> {
    const buckets = new Map<number, Set<number>>();
    yield* this.each(hour, (bucket, user) => {
      if (user > 0) entry(buckets, bucket, () => new Set()).add(personOf(persons, user));
    });
    for (const [bucket, users] of [...buckets].sort(([a], [b]) => a - b)) {
      for (const user of users) {
        const before = seenIn[user] as number;
        if (before === bucket) continue;
        seenIn[user] = bucket;
        visit(bucket, before);
      }
    }
  }
}
