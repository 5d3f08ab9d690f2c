import { type ValueType, valueTypeOf } from "../../../domain/reports/catalogue.ts";
import { isScalar, propertiesOf, type Scalar } from "../../../domain/reports/condition.ts";
import type { Instant } from "../../../domain/time.ts";
import { hourOf, type Posting } from "../formats.ts";

/** An event to be built into the rollups. */
export interface NumberedEvent {
  readonly id: number;
  readonly event_type: string;
  /** The number of the user; 0 where the event has none. */
  readonly user: number;
  readonly properties: string | null;
  readonly occurred_at: Instant;
}

/** The growth of a property's figures by a batch of events. */
export interface PropertyGrowth {
  /** Whether its values are counted; asked once for all events of the batch. */
  readonly isCounted: boolean;
  readonly value_types: Record<ValueType, number>;
  /** The number of events with each value, by hour. */
  readonly hours: Map<number, Map<Scalar, number>>;
}

/** The growth of figures by hour. */
export interface HourGrowth {
  readonly counts: Map<number, number>;
  readonly users: Map<number, Set<number>>;
  readonly postings: Map<number, Posting[]>;
}

/** The growth of a type's figures by a batch of events. */
export interface TypeGrowth extends HourGrowth {
  count: number;
  first_seen: Instant;
  last_seen: Instant;
  readonly properties: Map<string, PropertyGrowth>;
}

/** The value of a key, made where there is none. */
export function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

export function addTo<K>(counts: Map<K, number>, key: K, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

// Counts, users and postings.
const ROWS_AN_HOUR = 3;

/** Returns how many rows it adds at most: one for the hour, and one for the value. */
function addValue({ hours }: PropertyGrowth, value: Scalar, hour: number): number {
  const isFirst = !hours.has(hour);
  const values = entry(hours, hour, noValues);
  const isNew = !values.has(value);
  addTo(values, value, 1);
  return Number(isFirst) + Number(isNew);
}

const noValues = (): Map<Scalar, number> => new Map();
const noUsers = (): Set<number> => new Set();
const noPostings = (): Posting[] => [];

export const noValueTypes = (): Record<ValueType, number> => ({
  string: 0,
  number: 0,
  boolean: 0,
  null: 0,
  object: 0,
  array: 0,
});

const newProperty = (isCounted: boolean): PropertyGrowth => ({
  isCounted,
  value_types: noValueTypes(),
  hours: new Map(),
});
const newHours = (): HourGrowth => ({ counts: new Map(), users: new Map(), postings: new Map() });
const newGrowth = (): TypeGrowth => ({
  ...newHours(),
  count: 0,
  first_seen: Number.POSITIVE_INFINITY,
  last_seen: Number.NEGATIVE_INFINITY,
  properties: new Map(),
});

/** What is known before of a property: `unkept` where its name has no place, `uncounted` where its values are not counted. */
export type Keeping = "counted" | "uncounted" | "unkept";

/** The sum of the first events. */
export interface Growth {
  readonly types: ReadonlyMap<string, TypeGrowth>;
  /** How many events are in it. */
  readonly taken: number;
}

/** Sums up events by type, up to the one with which about `maxRows` rows change. */
export class GrowthTally {
  readonly #types = new Map<string, TypeGrowth>();
  readonly #keepingOf: (event_type: string, name: string) => Keeping;
  #rows = 0;

  constructor(keepingOf: (event_type: string, name: string) => Keeping) {
    this.#keepingOf = keepingOf;
  }

  /** The growth of the first events; at least one of them is taken. */
  take(events: Iterable<NumberedEvent>, maxRows: number): Growth {
    let taken = 0;
    for (const event of events) {
      this.#add(event);
      taken += 1;
      if (this.#rows >= maxRows) break;
    }
    return { types: this.#types, taken };
  }

  #add({ id, event_type, user, properties, occurred_at }: NumberedEvent): void {
    const growth = entry(this.#types, event_type, newGrowth);
    const hour = hourOf(occurred_at);
    growth.count += 1;
    growth.first_seen = Math.min(growth.first_seen, occurred_at);
    growth.last_seen = Math.max(growth.last_seen, occurred_at);
    if (!growth.counts.has(hour)) this.#rows += ROWS_AN_HOUR;
    addTo(growth.counts, hour, 1);
    if (user > 0) entry(growth.users, hour, noUsers).add(user);
    entry(growth.postings, hour, noPostings).push({ user, occurred_at, id });
    if (properties !== null) this.#addProperties(growth, event_type, propertiesOf(properties), hour);
  }

  /** Undefined where the name has no place. */
  #newProperty({ properties }: TypeGrowth, event_type: string, name: string): PropertyGrowth | undefined {
    const keeping = this.#keepingOf(event_type, name);
    if (keeping === "unkept") return undefined;
    this.#rows += 1;
    const property = newProperty(keeping === "counted");
    properties.set(name, property);
    return property;
  }

  #addProperties(
    growth: TypeGrowth,
    event_type: string,
    properties: Readonly<Record<string, unknown>>,
    hour: number,
  ): void {
    for (const name of Object.keys(properties)) {
      const property = growth.properties.get(name) ?? this.#newProperty(growth, event_type, name);
      if (property === undefined) continue;
      const value = properties[name];
      property.value_types[valueTypeOf(value)] += 1;
      if (property.isCounted && isScalar(value)) this.#rows += addValue(property, value, hour);
    }
  }
}

/** The sum over all types. It has no postings: an event is written once, under its type. */
export function sumOf(types: Iterable<HourGrowth>): HourGrowth {
  const sum = newHours();
  for (const { counts, users } of types) {
    for (const [hour, count] of counts) addTo(sum.counts, hour, count);
    for (const [hour, some] of users) {
      const all = entry(sum.users, hour, noUsers);
      for (const user of some) all.add(user);
    }
  }
  return sum;
}
