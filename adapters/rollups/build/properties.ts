import type { ValueType } from "../../../domain/reports/catalogue.ts";
import type { Scalar } from "../../../domain/reports/condition.ts";
import { readValueCounts, writeValueCounts } from "../formats.ts";
import {
  type BuildStore,
  MAX_NAMES,
  type PropertyCount,
  type PropertyKey,
  type PropertyRow,
  type RollupRows,
  type ValueHourKey,
  type ValueKey,
} from "../store.ts";
import type { Work } from "../work.ts";
import { addTo, entry, type Keeping, noValueTypes, type PropertyGrowth } from "./growth.ts";

// A property with more different values is an id or a free text, useless for a breakdown: its values are not counted.
const MAX_VALUES = 1_000;
const MAX_VALUE_CHARACTERS = 200;
const MAX_COUNTED_PROPERTIES = 100;
const MAX_CACHED = 20_000;
// A few hundred megabytes where all values are long.
const MAX_CACHED_VALUES = 500_000;
// Types whose names are all read at once: with them known, an event with many names that have no place costs little.
const MAX_FULL_TYPES = 100;

/** The growth of a type's properties, by their names. */
export interface TypeProperties {
  readonly type_id: number;
  readonly properties: ReadonlyMap<string, PropertyGrowth>;
}

interface Property extends PropertyKey {
  readonly id: number;
  readonly value_types: Record<ValueType, number>;
  /** Null where the values are not counted. */
  distinct: number | null;
  /** The numbers of the values met so far. */
  readonly values: Map<Scalar, number>;
}

interface Grown {
  readonly property: Property;
  readonly growth: PropertyGrowth;
}

const isTooLong = (value: Scalar): boolean =>
  typeof value === "string" && value.length > MAX_VALUE_CHARACTERS;

const cacheKey = ({ type_id, name }: PropertyKey): string => `${type_id} ${name}`;
const keyOfHour = ({ property_id, hour }: ValueHourKey): string => `${property_id} ${hour}`;

const noNames = (): Set<string> => new Set();

const countOf = (stored?: PropertyCount): { named: number; counted: number } => ({
  named: stored?.named ?? 0,
  counted: stored?.counted ?? 0,
});

const propertyOf = ({ id, type_id, name, value_types, distinct_values }: PropertyRow): Property => ({
  id,
  type_id,
  name,
  value_types: { ...value_types },
  distinct: distinct_values,
  values: new Map(),
});

/** Adds events to the figures of properties. The figures of one build are remembered for the next one. */
export class PropertyBuilder {
  readonly #nextId: () => number;
  readonly #known = new Map<string, Property>();
  readonly #counts = new Map<number, { named: number; counted: number }>();
  /** For types with as many names as are kept: these names. */
  readonly #full = new Map<number, Set<string>>();

  constructor(nextId: () => number) {
    this.#nextId = nextId;
  }

  forget(): void {
    this.#known.clear();
    this.#counts.clear();
    this.#full.clear();
  }

  /** Whether the cache has grown so large that it should be dropped before the next build. */
  isFull(): boolean {
    let values = 0;
    for (const property of this.#known.values()) values += property.values.size;
    return this.#known.size > MAX_CACHED || values > MAX_CACHED_VALUES || this.#full.size > MAX_FULL_TYPES;
  }

  /** Reads how many properties these types have, and the names of types that can get no more. */
  *begin(store: BuildStore, typeIds: readonly number[]): Work<void> {
    const unknown = typeIds.filter((id) => !this.#counts.has(id));
    const stored = new Map((yield* store.propertyCounts(unknown)).map((count) => [count.type_id, count]));
    for (const id of unknown) this.#counts.set(id, countOf(stored.get(id)));
    const full = typeIds.filter((id) => this.#isFullType(id) && !this.#full.has(id)).slice(0, MAX_FULL_TYPES);
    if (full.length === 0) return;
    for (const { type_id, name } of yield* store.namesOf(full)) {
      entry(this.#full, type_id, noNames).add(JSON.parse(name) as string);
    }
  }

  #isFullType(typeId: number): boolean {
    return (this.#counts.get(typeId)?.named ?? 0) >= MAX_NAMES;
  }

  /** What becomes of a property as far as that is known before its rows are read. */
  keepingOf(typeId: number, name: string): Keeping {
    if (this.#full.get(typeId)?.has(name) === false) return "unkept";
    const known = this.#known.get(cacheKey({ type_id: typeId, name: JSON.stringify(name) }));
    return known?.distinct === null ? "uncounted" : "counted";
  }

  *add(store: BuildStore, types: readonly TypeProperties[], rows: RollupRows): Work<void> {
    const grown = yield* this.#grow(store, types);
    yield* this.#loadValues(store, grown);
    const counted = grown.filter((one) => numberValues(one, rows));
    yield* addValueHours(store, counted, rows);
    for (const { property } of grown) {
      const { id, type_id, name, value_types, distinct } = property;
      rows.properties.push({ id, type_id, name, value_types: { ...value_types }, distinct_values: distinct });
    }
  }

  *#grow(store: BuildStore, types: readonly TypeProperties[]): Work<Grown[]> {
    const all = types.flatMap(({ type_id, properties }) =>
      [...properties].map(([name, growth]) => ({ type_id, name: JSON.stringify(name), growth })),
    );
    const unknown = all.filter((key) => !this.#known.has(cacheKey(key)));
    for (const row of yield* store.properties(unknown)) this.#known.set(cacheKey(row), propertyOf(row));
    this.#create(unknown.filter((key) => !this.#known.has(cacheKey(key))));
    return all.flatMap(({ growth, ...key }) => {
      const property = this.#known.get(cacheKey(key));
      if (property === undefined) return [];
      for (const type of Object.keys(growth.value_types) as ValueType[]) {
        property.value_types[type] += growth.value_types[type];
      }
      return [{ property, growth }];
    });
  }

  /** A type that has its number of names gets no more. */
  #create(keys: readonly PropertyKey[]): void {
    for (const { type_id, name } of keys) {
      const count = entry(this.#counts, type_id, countOf);
      if (count.named >= MAX_NAMES) continue;
      const isCounted = count.counted < MAX_COUNTED_PROPERTIES;
      count.named += 1;
      count.counted += Number(isCounted);
      this.#known.set(cacheKey({ type_id, name }), {
        id: this.#nextId(),
        type_id,
        name,
        value_types: noValueTypes(),
        distinct: isCounted ? 0 : null,
        values: new Map(),
      });
    }
  }

  *#loadValues(store: BuildStore, grown: readonly Grown[]): Work<void> {
    const properties = new Map<number, Property>();
    const keys: ValueKey[] = [];
    for (const { property, growth } of grown) {
      if (property.distinct === null || property.values.size === property.distinct) continue;
      properties.set(property.id, property);
      for (const value of unknownValues(property, growth)) {
        if (!isTooLong(value)) keys.push({ property_id: property.id, value: JSON.stringify(value) });
      }
    }
    for (const { property_id, value, number } of yield* store.values(keys)) {
      properties.get(property_id)?.values.set(JSON.parse(value) as Scalar, number);
    }
  }
}

function unknownValues({ values }: Property, { hours }: PropertyGrowth): Set<Scalar> {
  const unknown = new Set<Scalar>();
  for (const counts of hours.values()) {
    for (const value of counts.keys()) if (!values.has(value)) unknown.add(value);
  }
  return unknown;
}

/** Numbers the new values of a property; false where its values are not counted, or not any more. */
function numberValues({ property, growth }: Grown, rows: RollupRows): boolean {
  const { id, values, distinct } = property;
  if (distinct === null) return false;
  const fresh = unknownValues(property, growth);
  if (distinct + fresh.size > MAX_VALUES || [...fresh].some(isTooLong)) {
    property.distinct = null;
    values.clear();
    rows.uncountedProperties.push(id);
    return false;
  }
  let number = distinct;
  for (const value of fresh) {
    number += 1;
    values.set(value, number);
    rows.values.push({ property_id: id, value: JSON.stringify(value), number });
  }
  property.distinct = number;
  return true;
}

function* addValueHours(store: BuildStore, grown: readonly Grown[], rows: RollupRows): Work<void> {
  const keys = grown.flatMap(({ property, growth }) =>
    [...growth.hours.keys()].map((hour) => ({ property_id: property.id, hour })),
  );
  const stored = new Map((yield* store.valueHours(keys)).map((row) => [keyOfHour(row), row.counts]));
  for (const { property, growth } of grown) {
    const property_id = property.id;
    for (const [hour, added] of growth.hours) {
      const counts = new Map<number, number>();
      const bytes = stored.get(keyOfHour({ property_id, hour }));
      if (bytes !== undefined) readValueCounts(bytes, (value, count) => void counts.set(value, count));
      for (const [value, count] of added) addTo(counts, property.values.get(value) ?? 0, count);
      rows.valueHours.push({ property_id, hour, counts: writeValueCounts(counts) });
    }
  }
}
