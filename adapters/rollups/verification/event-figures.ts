import { type ValueType, valueTypeOf } from "../../../domain/reports/catalogue.ts";
import { isScalar, propertiesOf } from "../../../domain/reports/condition.ts";
import { HOUR, type Instant } from "../../../domain/time.ts";
import { addTo, entry, noValueTypes } from "../build/growth.ts";
import { hourOf } from "../formats.ts";
import { MAX_NAMES, type PropertyRow, type RawEvent, type TypeRow, userKey } from "../store.ts";
import { type Figure, type Figures, ItemFigures } from "./figures.ts";

// The figures that rollups should have, computed from events alone, and the words by which each is compared and reported.

const hourText = (hour: number): string => `the hour ${new Date(hour * HOUR).toISOString().slice(0, 13)}`;
export const typeText = (eventType: string): string => JSON.stringify(eventType);
export const ALL_TEXT = "all types";

export const inHour = {
  events: (type: string, hour: number) => `events of ${type} in ${hourText(hour)}`,
  users: (type: string, hour: number) => `users of ${type} in ${hourText(hour)}`,
  listed: (type: string, hour: number) => `times and users of the events of ${type} in ${hourText(hour)}`,
  values: (type: string, name: string, hour: number) => `values of ${name} of ${type} in ${hourText(hour)}`,
};
export const everOf = {
  events: (type: string) => `events of ${type}`,
  types: (type: string, name: string) => `events of ${type} with the property ${name}`,
};

export const listedEvent = (id: number, time: Instant, person: string): string => `${id} ${time} ${person}`;

export interface Total {
  count: number;
  first_seen: Instant;
  last_seen: Instant;
}

/** The names of types and properties that the rollups have. */
export interface KeptNames {
  readonly types: readonly TypeRow[];
  readonly properties: readonly PropertyRow[];
}

/** The part of a property that the rollups keep. */
type Keeping = "values" | "types" | "nothing";

/** Computes the figures of events, those of a stretch of hours and those of all time. */
export class EventFigures {
  readonly #keepingOf: (eventType: string, name: string) => Keeping;
  readonly #totals = new Map<string, Total>();
  readonly #valueTypes = new Map<string, Record<ValueType, number>>();
  #items = new ItemFigures();
  #users = new Map<string, Set<string>>();
  #counts = new Map<string, number>();
  #values = new Map<string, Map<string, number>>();
  events = 0;

  constructor({ types, properties }: KeptNames) {
    const kept = new Map<string, Map<string, Keeping>>();
    for (const { event_type, id } of types) {
      const own = properties.filter(({ type_id }) => type_id === id);
      kept.set(
        event_type,
        new Map(own.map((row) => [row.name, row.distinct_values === null ? "types" : "values"])),
      );
    }
    // The rollups keep a number of names of each type; of a type with fewer, a missing name is a difference.
    this.#keepingOf = (eventType, name) => {
      const own = kept.get(eventType);
      return own?.get(name) ?? ((own?.size ?? 0) < MAX_NAMES ? "types" : "nothing");
    };
  }

  add({ id, event_type, user_id, properties, occurred_at }: RawEvent): void {
    const hour = hourOf(occurred_at);
    const type = typeText(event_type);
    this.events += 1;
    this.#addTotal(event_type, occurred_at);
    const person = user_id === null ? "" : userKey(user_id);
    for (const text of [type, ALL_TEXT]) {
      addTo(this.#counts, inHour.events(text, hour), 1);
      if (user_id !== null) entry(this.#users, inHour.users(text, hour), () => new Set()).add(person);
    }
    this.#items.add(inHour.listed(type, hour), listedEvent(id, occurred_at, person));
    if (properties !== null) this.#addProperties(event_type, propertiesOf(properties), hour);
  }

  #addTotal(eventType: string, time: Instant): void {
    const total = entry(this.#totals, eventType, () => ({ count: 0, first_seen: time, last_seen: time }));
    total.count += 1;
    total.first_seen = Math.min(total.first_seen, time);
    total.last_seen = Math.max(total.last_seen, time);
  }

  #addProperties(eventType: string, properties: Readonly<Record<string, unknown>>, hour: number): void {
    for (const [name, value] of Object.entries(properties)) {
      const text = JSON.stringify(name);
      const keeping = this.#keepingOf(eventType, text);
      if (keeping === "nothing") continue;
      const type = typeText(eventType);
      entry(this.#valueTypes, everOf.types(type, text), noValueTypes)[valueTypeOf(value)] += 1;
      if (keeping === "types" || !isScalar(value)) continue;
      const values = entry(this.#values, inHour.values(type, text, hour), () => new Map<string, number>());
      addTo(values, JSON.stringify(value), 1);
    }
  }

  /** The figures of the events since the last call. */
  takeHours(): Figures {
    const figures: Figures = this.#items.figures;
    for (const [what, count] of this.#counts) figures.set(what, { count, content: "" });
    for (const [what, users] of this.#users)
      figures.set(what, { count: users.size, content: [...users].sort().join("\n") });
    for (const [what, values] of this.#values) {
      const lines = [...values].map(([value, count]) => `${value} ${count}`).sort();
      figures.set(what, { count: sumOf(values.values()), content: lines.join("\n") });
    }
    this.#items = new ItemFigures();
    this.#users = new Map();
    this.#counts = new Map();
    this.#values = new Map();
    return figures;
  }

  /** The figures of all events. */
  get ever(): Figures {
    const totals = [...this.#totals].map(([eventType, total]) => totalFigure(eventType, total));
    const types = [...this.#valueTypes].map(([what, counts]) => typesFigure(what, counts));
    return new Map([...totals, ...types]);
  }
}

const sumOf = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0);

export const totalFigure = (eventType: string, { count, first_seen, last_seen }: Total): [string, Figure] => [
  everOf.events(typeText(eventType)),
  { count, content: `${first_seen} ${last_seen}` },
];

export const typesFigure = (what: string, counts: Readonly<Record<ValueType, number>>): [string, Figure] => {
  const found = Object.entries(counts).filter(([, count]) => count > 0);
  return [what, { count: sumOf(Object.values(counts)), content: JSON.stringify(found.sort()) }];
};
