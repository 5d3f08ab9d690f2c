import {
  type Fact,
  type FactEvent,
  type FactsQuestion,
  FactsTally,
  rangeOfFacts,
} from "../../../domain/reports/user-facts.ts";
import { entry } from "../build/growth.ts";
import { readPostings } from "../formats.ts";
import { hoursOfUsers, NO_TYPE, spanOf, typeIdOf } from "../reader.ts";
import { type HourSpan, MAX_NAMES, userKey } from "../store.ts";
import type { Work } from "../work.ts";
import { newestFirst } from "./list.ts";
import { placesByUser } from "./people.ts";
import type { Snapshot } from "./snapshot.ts";

// Hours whose events are loaded together.
const HOURS_AT_ONCE = 64;
const EVENTS_AT_ONCE = 2_000;
// Few users have events in few hours, which are looked up first; of many users all hours are read.
const FEW_USERS = 32;

interface Search {
  readonly snapshot: Snapshot;
  readonly question: FactsQuestion;
  readonly types: readonly number[];
  /** The places in the question, by the number of each id of the users' persons. */
  readonly places: ReadonlyMap<number, readonly number[]>;
  readonly tally: FactsTally;
}

type FoundEvent = Omit<FactEvent, "properties">;

/** The events that the question is about, by the place of their user, of a number of hours. */
function* eventsIn(search: Search, hours: readonly number[]): Work<Map<number, FoundEvent[]>> {
  const { snapshot, types, places, question, tally } = search;
  const found = new Map<number, FoundEvent[]>();
  for (const { entries, hour } of yield* snapshot.store.postingsAt(types, hours)) {
    readPostings(entries, hour, (user, occurred_at, id) => {
      for (const place of places.get(user) ?? []) {
        const { from = 0, to = 0 } = question.users[place] ?? {};
        const isAsked = occurred_at >= from && occurred_at < to && !tally.hasLast(place);
        if (isAsked) entry(found, place, () => []).push({ id, occurred_at });
      }
    });
  }
  return found;
}

/** Adds events with their properties. */
function* addEvents(
  { snapshot, tally }: Search,
  events: readonly (readonly [place: number, event: FoundEvent])[],
): Work<void> {
  for (let from = 0; from < events.length; from += EVENTS_AT_ONCE) {
    const some = events.slice(from, from + EVENTS_AT_ONCE);
    const properties = yield* snapshot.source.propertiesOf(some.map(([, { id }]) => id));
    for (const [place, event] of some)
      tally.add(place, { ...event, properties: properties.get(event.id) ?? null });
  }
}

function* addTotals(search: Search, hours: readonly number[]): Work<void> {
  const found = [...(yield* eventsIn(search, hours))];
  const events = found.flatMap(([place, own]) => own.map((event) => [place, event] as const));
  const { question, tally } = search;
  if (question.kind === "total" && question.property === null) {
    for (const [place, event] of events) tally.add(place, { ...event, properties: null });
  } else yield* addEvents(search, events);
}

/** Looks at the latest event of each user first, and at earlier ones where that lacks the property. */
function* addLast(search: Search, hours: readonly number[]): Work<void> {
  const open = yield* eventsIn(search, hours);
  for (const own of open.values()) own.sort(newestFirst).reverse();
  while (open.size > 0) {
    const latest = [...open].flatMap(([place, own]) => {
      const event = own.pop();
      return event === undefined ? [] : [[place, event] as const];
    });
    yield* addEvents(search, latest);
    for (const [place, own] of open) if (own.length === 0 || search.tally.hasLast(place)) open.delete(place);
  }
}

/** Visits the hours that may hold the users' events, latest first, many at once. */
function* eachHours(
  { snapshot, types, places }: Search,
  span: HourSpan,
  visit: (hours: readonly number[]) => Work<boolean>,
): Work<void> {
  if (places.size <= FEW_USERS) {
    const hours = yield* hoursOfUsers(snapshot.store, places.keys(), span);
    for (let from = 0; from < hours.length; from += HOURS_AT_ONCE)
      if (yield* visit(hours.slice(from, from + HOURS_AT_ONCE))) return;
    return;
  }
  for (let last = span.last; ; ) {
    const hours = yield* snapshot.store.latestHours(types, { first: span.first, last }, HOURS_AT_ONCE);
    const earliest = hours.at(-1);
    if (earliest === undefined || (yield* visit(hours))) return;
    last = earliest - 1;
  }
}

/** The types whose events may have the property. */
function* typesWith({ store }: Snapshot, property: string): Work<number[]> {
  const named = new Map<number, number>();
  const having = new Set<number>();
  const name = JSON.stringify(property);
  for (const row of yield* store.properties()) {
    named.set(row.type_id, (named.get(row.type_id) ?? 0) + 1);
    if (row.name === name) having.add(row.type_id);
  }
  const types = yield* store.types();
  // A type with too many names has others that the rollups do not know.
  return types.map(({ id }) => id).filter((id) => having.has(id) || (named.get(id) ?? 0) >= MAX_NAMES);
}

function* typesOf(snapshot: Snapshot, question: FactsQuestion): Work<number[]> {
  if (question.kind === "last_value") return yield* typesWith(snapshot, question.property);
  const id = yield* typeIdOf(snapshot.store, question.event_type);
  return id === NO_TYPE ? [] : [id];
}

function* numberedPlaces(
  { store, links }: Snapshot,
  { users }: FactsQuestion,
): Work<Map<number, readonly number[]>> {
  const byUser = yield* placesByUser(links, users);
  const byKey = new Map([...byUser].map(([id, places]) => [userKey(id), places]));
  const numbered = new Map<number, readonly number[]>();
  for (const { user_id, number } of yield* store.users([...byKey.keys()]))
    numbered.set(number, byKey.get(user_id) ?? []);
  return numbered;
}

/** Answers facts about users from the rollups, which lead to their events. */
export function* factsFromRollups(snapshot: Snapshot, question: FactsQuestion): Work<Fact[]> {
  const tally = new FactsTally(question);
  const { from, to } = rangeOfFacts(question);
  const places = yield* numberedPlaces(snapshot, question);
  const types = yield* typesOf(snapshot, question);
  if (places.size === 0 || types.length === 0 || from >= to) return tally.facts();
  const search: Search = { snapshot, question, types, places, tally };
  const add = question.kind === "total" ? addTotals : addLast;
  yield* eachHours(search, spanOf(from, to), function* (hours) {
    yield* add(search, hours);
    return question.kind === "last_value" && question.users.every((_, place) => tally.hasLast(place));
  });
  return tally.facts();
}
