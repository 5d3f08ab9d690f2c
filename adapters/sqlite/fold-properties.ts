import type { Database } from "better-sqlite3";
import type { ValueType } from "../../domain/reports/catalogue.ts";
import type { Scalar } from "../../domain/reports/condition.ts";
import type { PropertyGrowth } from "./fold.ts";
import type { Put } from "./fold-plan.ts";
import { nameToSql } from "./property-names.ts";
import { readValueCounts, writeValueCounts } from "./rollup-formats.ts";

// A property with more different values is none that people break something down by, and is not kept.
const MAX_VALUES = 1_000;
const MAX_VALUE_CHARACTERS = 200;
const MAX_KEPT_PROPERTIES = 100;
const MAX_CACHED = 5_000;
// Some hundred megabytes where all of them are long; five thousand properties could have ten times as many.
const MAX_CACHED_VALUES = 500_000;

const TYPES = ["string", "number", "boolean", "null", "object", "array"] as const satisfies ValueType[];

type PropertyRow = { id: number; kept_values: number | null } & Record<ValueType, number>;

interface Property {
  readonly id: number;
  readonly types: Record<ValueType, number>;
  /** The numbers of its values; undefined where they are not kept. */
  values: Map<Scalar, number> | undefined;
}

const isTooLong = (value: Scalar): boolean =>
  typeof value === "string" && value.length > MAX_VALUE_CHARACTERS;

/** What the figures of properties become with some more events. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the planner's statements and caches, and the steps that share them.
export function createPropertyPlanner(db: Database, nextId: () => number) {
  const selectProperty = db.prepare<[number, string | Uint8Array], PropertyRow>(
    `select id, kept_values, strings as string, numbers as number, booleans as boolean, nulls as "null",
       objects as object, arrays as array
     from event_properties where type_id = ? and name = ?`,
  );
  const selectValues = db.prepare<[number], { value: string; number: number }>(
    "select value, number from event_values where property_id = ?",
  );
  const selectCounts = db
    .prepare<[number, number], Buffer>(
      "select counts from event_value_hours where property_id = ? and hour = ?",
    )
    .pluck();
  const countKept = db
    .prepare<[number], number>(
      "select count(*) from event_properties where type_id = ? and kept_values is not null",
    )
    .pluck();

  // As the last plan left them: see fold-plan.ts.
  const properties = new Map<string, Property>();
  const keptOfType = new Map<number, number>();

  function load(typeId: number, name: string): Property {
    const row = selectProperty.get(typeId, nameToSql(name));
    if (row === undefined) return create(typeId);
    const { id, kept_values, ...types } = row;
    if (kept_values === null) return { id, types, values: undefined };
    const values = new Map(selectValues.all(id).map((one) => [JSON.parse(one.value) as Scalar, one.number]));
    return { id, types, values };
  }

  function create(typeId: number): Property {
    const kept = keptOfType.get(typeId) ?? countKept.get(typeId) ?? 0;
    const isKept = kept < MAX_KEPT_PROPERTIES;
    keptOfType.set(typeId, isKept ? kept + 1 : kept);
    const types = { string: 0, number: 0, boolean: 0, null: 0, object: 0, array: 0 };
    return { id: nextId(), types, values: isKept ? new Map() : undefined };
  }

  function propertyOf(typeId: number, name: string): Property {
    const key = `${typeId} ${name}`;
    const known = properties.get(key) ?? load(typeId, name);
    properties.set(key, known);
    return known;
  }

  /** Numbers the values that are new; false where they have become too many. */
  function numberValues(id: number, values: Map<Scalar, number>, growth: PropertyGrowth, put: Put): boolean {
    for (const counts of growth.hours.values()) {
      for (const value of counts.keys()) {
        if (values.has(value)) continue;
        if (values.size >= MAX_VALUES || isTooLong(value)) return false;
        values.set(value, values.size + 1);
        put("values", id, JSON.stringify(value), values.size);
      }
    }
    return true;
  }

  function addHour(
    id: number,
    hour: number,
    added: ReadonlyMap<Scalar, number>,
    values: Map<Scalar, number>,
    put: Put,
  ): void {
    const counts = new Map<number, number>();
    const stored = selectCounts.get(id, hour);
    if (stored !== undefined) readValueCounts(stored, (value, count) => void counts.set(value, count));
    for (const [value, count] of added) {
      const number = values.get(value) ?? 0;
      counts.set(number, (counts.get(number) ?? 0) + count);
    }
    put("valueHours", id, hour, writeValueCounts(counts));
  }

  function addValues(property: Property, growth: PropertyGrowth, put: Put): void {
    const { id, values } = property;
    if (values === undefined) return;
    if (numberValues(id, values, growth, put)) {
      for (const [hour, added] of growth.hours) addHour(id, hour, added, values, put);
      return;
    }
    property.values = undefined;
    put("dropped", id);
  }

  return {
    add(typeId: number, name: string, growth: PropertyGrowth, put: Put): void {
      const property = propertyOf(typeId, name);
      const { id, types } = property;
      for (const type of TYPES) types[type] += growth.types[type];
      addValues(property, growth, put);
      const kept = property.values?.size ?? null;
      put("properties", id, typeId, nameToSql(name), ...TYPES.map((type) => types[type]), kept);
    },

    /** Whether so much is remembered that it had better be forgotten before the next plan. */
    isFull(): boolean {
      let values = 0;
      for (const property of properties.values()) values += property.values?.size ?? 0;
      return properties.size > MAX_CACHED || values > MAX_CACHED_VALUES;
    },

    forget(): void {
      properties.clear();
      keptOfType.clear();
    },
  };
}
