import { holdsAll, propertiesOf } from "../../../domain/reports/condition.ts";
import type { EventPlace, StoredEvent } from "../../../domain/reports/event-list.ts";
import { hourOf, readPostings } from "../formats.ts";
import { hoursOfUsers } from "../reader.ts";
import { type HourSpan, type PersonPage, type TypeRow, userKey } from "../store.ts";
import type { Work } from "../work.ts";
import type { Snapshot } from "./snapshot.ts";

const BEFORE_ALL_IDS = Number.MIN_SAFE_INTEGER;

// Hours whose events are loaded together: few at first, since one hour often fills a page.
const FIRST_HOURS = 4;
const MOST_HOURS = 64;
// The stretch of time that is searched for hours with a user's events, four times as long each time: each stretch costs a
// remote database some round trips. Most of these hours have one event of the user.
const FIRST_STRETCH = 192;
const NEXT_STRETCH = 4;
const FIRST_HOURS_OF_USER = 16;

/** Whether an event belongs on a page, apart from its time. */
export const isOnPage = (
  { event_types, user_ids, session_id, where }: PersonPage,
  event: StoredEvent,
): boolean =>
  (event_types.length === 0 || event_types.includes(event.event_type)) &&
  (user_ids === undefined || (event.user_id !== null && user_ids.includes(event.user_id))) &&
  (session_id === undefined || event.session_id === session_id) &&
  (where.length === 0 || holdsAll(where, propertiesOf(event.properties)));

/** Where a page begins: every event on it precedes this place in time. */
export function startOfPage({ to, after }: Pick<PersonPage, "to" | "after">): EventPlace {
  return after !== undefined && after.occurred_at < to ? after : { occurred_at: to, id: BEFORE_ALL_IDS };
}

export const newestFirst = (a: EventPlace, b: EventPlace): number =>
  b.occurred_at - a.occurred_at || b.id - a.id;

const precedes = (a: EventPlace, b: EventPlace): boolean => newestFirst(a, b) > 0;

interface Search {
  readonly snapshot: Snapshot;
  readonly page: PersonPage;
  readonly types: readonly number[];
  /** The numbers of the person's ids; undefined for everybody. */
  readonly users: ReadonlySet<number> | undefined;
  readonly found: StoredEvent[];
}

/** Adds the events of these hours that belong on the page; true where the page is full. */
function* takeHours(
  { snapshot, page, types, users, found }: Search,
  hours: readonly number[],
): Work<boolean> {
  const start = startOfPage(page);
  const places: EventPlace[] = [];
  for (const { entries, hour } of yield* snapshot.store.postingsAt(types, hours)) {
    readPostings(entries, hour, (who, occurred_at, id) => {
      const place = { occurred_at, id };
      const isWanted = (users === undefined || users.has(who)) && occurred_at >= page.from;
      if (isWanted && precedes(place, start)) places.push(place);
    });
  }
  places.sort(newestFirst);
  for (let from = 0; from < places.length; from += page.limit) {
    const ids = places.slice(from, from + page.limit).map(({ id }) => id);
    const events = [...(yield* snapshot.source.eventsOf(ids))].sort(newestFirst);
    for (const event of events) {
      if (isOnPage(page, event) && found.push(event) === page.limit) return true;
    }
  }
  return false;
}

function* takeAll(search: Search, hours: readonly number[]): Work<boolean> {
  for (let from = 0, most = FIRST_HOURS_OF_USER; from < hours.length; from += most, most = nextMost(most)) {
    if (yield* takeHours(search, hours.slice(from, from + most))) return true;
  }
  return false;
}

const nextMost = (most: number): number => Math.min(2 * most, MOST_HOURS);

/** Goes back in time, a longer stretch each time, through the hours that have one of the users. */
function* takeOfUsers(search: Search, users: ReadonlySet<number>, { first, last }: HourSpan): Work<void> {
  for (let end = last, stretch = FIRST_STRETCH; end >= first; end -= stretch, stretch *= NEXT_STRETCH) {
    const hours = { first: Math.max(first, end - stretch + 1), last: end };
    if (yield* takeAll(search, yield* hoursOfUsers(search.snapshot.store, users, hours))) return;
  }
}

function* takeOfTypes(search: Search, { first, last }: HourSpan): Work<void> {
  let end = last;
  for (let most = FIRST_HOURS; ; most = nextMost(most)) {
    const hours = yield* search.snapshot.store.latestHours(search.types, { first, last: end }, most);
    const earliest = hours.at(-1);
    if (earliest === undefined || (yield* takeHours(search, hours))) return;
    end = earliest - 1;
  }
}

/** The hours of a page in which these types have events. */
function spanOf(page: PersonPage, types: readonly TypeRow[]): HourSpan {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { first_seen, last_seen } of types) {
    first = Math.min(first, first_seen);
    last = Math.max(last, last_seen);
  }
  return {
    first: hourOf(Math.max(first, page.from)),
    last: hourOf(Math.min(last, startOfPage(page).occurred_at)),
  };
}

/**
 * Lists events by what the rollups know of types and users, which leads to rare ones directly; undefined where the page
 * names neither.
 */
export function* listFromRollups(snapshot: Snapshot, page: PersonPage): Work<StoredEvent[] | undefined> {
  const { event_types, user_ids } = page;
  if (event_types.length === 0 && user_ids === undefined) return undefined;
  const rows = yield* snapshot.store.types(event_types.length === 0 ? undefined : event_types);
  const found: StoredEvent[] = [];
  if (rows.length === 0) return found;
  const types = rows.map(({ id }) => id);
  const span = spanOf(page, rows);
  if (user_ids === undefined) {
    yield* takeOfTypes({ snapshot, page, types, users: undefined, found }, span);
    return found;
  }
  const known = [...(yield* snapshot.store.users(user_ids.map(userKey)))];
  const users = new Set(known.map(({ number }) => number));
  if (users.size > 0) yield* takeOfUsers({ snapshot, page, types, users, found }, users, span);
  return found;
}
