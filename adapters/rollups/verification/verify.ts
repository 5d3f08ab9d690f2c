import { HOUR } from "../../../domain/time.ts";
import { readPostings, readUsers, readValueCounts } from "../formats.ts";
import type { Snapshot } from "../questions/snapshot.ts";
import { ALL_HOURS, eachCount, eachPostings, eachVisitors } from "../reader.ts";
import { ALL_TYPES, type HourSpan, type PropertyRow, type QuestionStore, userKey } from "../store.ts";
import type { Work } from "../work.ts";
import {
  ALL_TEXT,
  EventFigures,
  everOf,
  inHour,
  type KeptNames,
  listedEvent,
  totalFigure,
  typesFigure,
  typeText,
} from "./event-figures.ts";
import { Comparison, type Differences, type Figures, ItemFigures } from "./figures.ts";
import { type KeptVerification, verifyKept } from "./kept.ts";

// Computes the figures of the rollups again from the stored events, and compares them. It reads one stretch of hours at a
// time, so that memory is bounded, and shares no code with the builder but the bytes of the rows.

/** The rollups were compared with this many events. */
export interface Verification extends Differences, KeptVerification {
  readonly events: number;
}

const EVENTS_AT_ONCE = 20_000;

/** Stretches of hours that together are all time, each with about as many events. */
function* stretchesOf(store: QuestionStore): Work<HourSpan[]> {
  const counts: { hour: number; count: number }[] = [];
  yield* eachCount(store, ALL_TYPES, ALL_HOURS, (hour, count) => void counts.push({ hour, count }));
  const spans: HourSpan[] = [];
  let { first } = ALL_HOURS;
  let events = 0;
  for (const { hour, count } of counts.sort((a, b) => a.hour - b.hour)) {
    events += count;
    if (events < EVENTS_AT_ONCE) continue;
    spans.push({ first, last: hour });
    first = hour + 1;
    events = 0;
  }
  return [...spans, { first, last: ALL_HOURS.last }];
}

/** The key of the person that each number of the rollups stands for, since events are read with the id of the person. */
function* personKeysOf({ store, links }: Snapshot): Work<ReadonlyMap<number, string>> {
  const persons = new Map(
    (yield* links.all()).map(({ user_id, person_id }) => [userKey(user_id), userKey(person_id)]),
  );
  const keys = new Map<number, string>();
  for (const { user_id, number } of yield* store.users()) keys.set(number, persons.get(user_id) ?? user_id);
  return keys;
}

interface Known extends KeptNames {
  readonly store: QuestionStore;
  readonly personOf: (user: number) => string;
}

function* knownOf(snapshot: Snapshot): Work<Known> {
  const { store } = snapshot;
  const keys = yield* personKeysOf(snapshot);
  const types = yield* store.types();
  const properties = yield* store.properties();
  return { store, types, properties, personOf: (user) => keys.get(user) ?? `no user has the number ${user}` };
}

/** The figures of one type of events, or of all, in a stretch of hours. */
function* figuresOfHours(
  { store, personOf }: Known,
  typeId: number,
  type: string,
  span: HourSpan,
): Work<Figures> {
  const figures: Figures = new Map();
  yield* eachCount(store, typeId, span, (hour, count) => {
    figures.set(inHour.events(type, hour), { count, content: "" });
  });
  const users = new Map<string, Set<string>>();
  yield* eachVisitors(store, typeId, span, ({ hour, users: bytes }) => {
    const own = users.get(inHour.users(type, hour)) ?? new Set();
    users.set(inHour.users(type, hour), own);
    readUsers(bytes, (user) => void own.add(personOf(user)));
    return undefined;
  });
  for (const [what, own] of users)
    figures.set(what, { count: own.size, content: [...own].sort().join("\n") });
  if (typeId === ALL_TYPES) return figures;
  const listed = new ItemFigures();
  yield* eachPostings(store, typeId, span, ({ hour, entries }) => {
    readPostings(entries, hour, (user, time, id) => {
      listed.add(inHour.listed(type, hour), listedEvent(id, time, user === 0 ? "" : personOf(user)));
    });
    return undefined;
  });
  return new Map([...figures, ...listed.figures]);
}

/** The numbers of events with each value of a property. */
function* figuresOfValues(
  store: QuestionStore,
  row: PropertyRow,
  type: string,
  span: HourSpan,
): Work<Figures> {
  const values = new Map((yield* store.valuesOf(row.id)).map(({ number, value }) => [number, value]));
  const figures: Figures = new Map();
  for (const { hour, counts } of yield* store.valueHoursBetween(row.id, span)) {
    const lines: string[] = [];
    let events = 0;
    readValueCounts(counts, (value, count) => {
      events += count;
      lines.push(`${values.get(value) ?? `no value has the number ${value}`} ${count}`);
    });
    figures.set(inHour.values(type, row.name, hour), { count: events, content: lines.sort().join("\n") });
  }
  return figures;
}

/** All figures of the rollups in a stretch of hours. */
function* figuresOfRollups(known: Known, span: HourSpan): Work<Figures> {
  const { store, types, properties } = known;
  const figures = yield* figuresOfHours(known, ALL_TYPES, ALL_TEXT, span);
  const texts = new Map(types.map(({ id, event_type }) => [id, typeText(event_type)]));
  for (const [id, type] of texts) {
    for (const [what, figure] of yield* figuresOfHours(known, id, type, span)) figures.set(what, figure);
  }
  for (const row of properties) {
    if (row.distinct_values === null) continue;
    const own = yield* figuresOfValues(store, row, texts.get(row.type_id) ?? `the type ${row.type_id}`, span);
    for (const [what, figure] of own) figures.set(what, figure);
  }
  return figures;
}

/** The figures of all time, as the rollups have them. */
function everInRollups({ types, properties }: KeptNames): Figures {
  const texts = new Map(types.map(({ id, event_type }) => [id, typeText(event_type)]));
  const rows = properties.map(({ type_id, name, value_types }) =>
    typesFigure(everOf.types(texts.get(type_id) ?? `the type ${type_id}`, name), value_types),
  );
  return new Map([...types.map((row) => totalFigure(row.event_type, row)), ...rows]);
}

/**
 * Compares all rollups of a snapshot with its events. `onProgress` is called with the number of events that were compared.
 *
 * @example A row of `event_hours` that was changed by hand gives the difference
 * `events of "buy" in the hour 2026-11-22T10`: 3 in the rollups, 2 in the events.
 */
export function* verifyRollups(snapshot: Snapshot, onProgress: (events: number) => void): Work<Verification> {
  const known = yield* knownOf(snapshot);
  const counted = new EventFigures(known);
  const comparison = new Comparison();
  for (const span of yield* stretchesOf(snapshot.store)) {
    const range = { from: span.first * HOUR, to: (span.last + 1) * HOUR, types: [], properties: true };
    yield* snapshot.source.visit(range, (event) => counted.add(event));
    comparison.add(yield* figuresOfRollups(known, span), counted.takeHours());
    onProgress(counted.events);
  }
  comparison.add(everInRollups(known), counted.ever);
  return { events: counted.events, ...comparison.differences, ...(yield* verifyKept(snapshot.kept)) };
}
