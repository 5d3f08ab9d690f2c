import { type ValueType, valueTypeOf } from "../../domain/reports/catalogue.ts";
import { isScalar, propertiesOf, type Scalar } from "../../domain/reports/condition.ts";
import type { Instant } from "../../domain/time.ts";
import { hourOf, type Posting } from "./rollup-formats.ts";

/** An event that is to be counted. */
export interface FoldedEvent {
  readonly id: number;
  readonly event_type: string;
  /** The number of its user; 0 where it has none. */
  readonly user: number;
  readonly properties: string | null;
  readonly occurred_at: Instant;
}

/** What some events add to a property's figures. */
export interface PropertyGrowth {
  readonly types: Record<ValueType, number>;
  /** How many have each value, by hour. */
  readonly hours: Map<number, Map<Scalar, number>>;
}

/** What some events add to the figures of their type. */
export interface TypeGrowth {
  count: number;
  first_seen: Instant;
  last_seen: Instant;
  /** By hour. */
  readonly counts: Map<number, number>;
  readonly users: Map<number, Set<number>>;
  readonly postings: Map<number, Posting[]>;
  readonly properties: Map<string, PropertyGrowth>;
}

/** The value of a key, which is made where there is none. */
export function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function addTo<K>(counts: Map<K, number>, key: K, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

function addProperty({ types, hours }: PropertyGrowth, value: unknown, hour: number): void {
  types[valueTypeOf(value)] += 1;
  if (isScalar(value)) addTo(entry(hours, hour, noValues), value, 1);
}

const noValues = (): Map<Scalar, number> => new Map();
const noUsers = (): Set<number> => new Set();
const noPostings = (): Posting[] => [];
const newProperty = (): PropertyGrowth => ({
  types: { string: 0, number: 0, boolean: 0, null: 0, object: 0, array: 0 },
  hours: new Map(),
});
const newGrowth = (): TypeGrowth => ({
  count: 0,
  first_seen: Number.POSITIVE_INFINITY,
  last_seen: Number.NEGATIVE_INFINITY,
  counts: new Map(),
  users: new Map(),
  postings: new Map(),
  properties: new Map(),
});

/** What events add to all figures that are kept of their types, gathered before anything is written. */
export function growthOf(events: readonly FoldedEvent[]): Map<string, TypeGrowth> {
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

/** The same for all types together, of which only counts and users are kept. */
export function growthOfAll(types: Iterable<TypeGrowth>): Pick<TypeGrowth, "counts" | "users"> {
  const counts = new Map<number, number>();
  const users = new Map<number, Set<number>>();
  for (const growth of types) {
    for (const [hour, count] of growth.counts) addTo(counts, hour, count);
    for (const [hour, some] of growth.users) {
      const all = entry(users, hour, noUsers);
      for (const user of some) all.add(user);
    }
  }
  return { counts, users };
}
