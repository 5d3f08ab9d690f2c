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

function addProperty({ value_types, hours }: PropertyGrowth, value: unknown, hour: number): void {
  value_types[valueTypeOf(value)] += 1;
  if (isScalar(value)) addTo(entry(hours, hour, noValues), value, 1);
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

const newProperty = (): PropertyGrowth => ({ value_types: noValueTypes(), hours: new Map() });
const newHours = (): HourGrowth => ({ counts: new Map(), users: new Map(), postings: new Map() });
const newGrowth = (): TypeGrowth => ({
  ...newHours(),
  count: 0,
  first_seen: Number.POSITIVE_INFINITY,
  last_seen: Number.NEGATIVE_INFINITY,
  properties: new Map(),
});

/** Sums up events by type: the growth of each type's figures. */
export function growthOf(events: readonly NumberedEvent[]): Map<string, TypeGrowth> {
  const types = new Map<string, TypeGrowth>();
  for (const { id, event_type, user, properties, occurred_at } of events) {
    const growth = entry(types, event_type, newGrowth);
    const hour = hourOf(occurred_at);
    growth.count += 1;
    growth.first_seen = Math.min(growth.first_seen, occurred_at);
    growth.last_seen = Math.max(growth.last_seen, occurred_at);
    addTo(growth.counts, hour, 1);
    if (user > 0) entry(growth.users, hour, noUsers).add(user);
    entry(growth.postings, hour, noPostings).push({ user, occurred_at, id });
    if (properties === null) continue;
    const parsed = propertiesOf(properties);
    for (const name of Object.keys(parsed)) {
      addProperty(entry(growth.properties, name, newProperty), parsed[name], hour);
    }
  }
  return types;
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
