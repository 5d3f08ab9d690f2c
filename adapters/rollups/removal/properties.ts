import type { ValueType } from "../../../domain/reports/catalogue.ts";
import { propertiesOf, type Scalar } from "../../../domain/reports/condition.ts";
import {
  addTo,
  entry,
  type Keeping,
  type NumberedEvent,
  type PropertyGrowth,
  type TypeGrowth,
} from "../build/growth.ts";
import { readValueCounts, writeValueCounts } from "../formats.ts";
import { ALL_HOURS } from "../reader.ts";
import { MAX_NAMES, type PropertyKey, type PropertyRow, type TypeRow, type ValueRow } from "../store.ts";
import type { Work } from "../work.ts";
import type { RemovalStore, RemovedRows } from "./removed-rows.ts";

/** The rows of the properties that some events have. */
export interface KnownProperties {
  rowOf(typeId: number, name: string): PropertyRow | undefined;
  keepingOf(typeId: number, name: string): Keeping;
}

const keyOf = ({ type_id, name }: PropertyKey): string => `${type_id} ${name}`;

export function* knownProperties(
  store: RemovalStore,
  types: readonly TypeRow[],
  events: readonly NumberedEvent[],
): Work<KnownProperties> {
  const ids = new Map(types.map(({ event_type, id }) => [event_type, id]));
  const keys = new Map<string, PropertyKey>();
  for (const { event_type, properties } of events) {
    if (properties === null) continue;
    const type_id = ids.get(event_type) ?? 0;
    for (const property of Object.keys(propertiesOf(properties))) {
      const key = { type_id, name: JSON.stringify(property) };
      keys.set(keyOf(key), key);
    }
  }
  const rows = new Map((yield* store.properties([...keys.values()])).map((row) => [keyOf(row), row]));
  const rowOf = (type_id: number, name: string) => rows.get(keyOf({ type_id, name: JSON.stringify(name) }));
  return {
    rowOf,
    keepingOf(typeId, name) {
      const row = rowOf(typeId, name);
      if (row === undefined) return "unkept";
      return row.distinct_values === null ? "uncounted" : "counted";
    },
  };
}

interface Lost {
  readonly row: PropertyRow;
  readonly growth: PropertyGrowth;
}

interface Losses {
  readonly types: ReadonlyMap<string, TypeGrowth>;
  readonly rows: readonly TypeRow[];
}

function lostOf({ types, rows }: Losses, known: KnownProperties): Lost[] {
  return rows.flatMap(({ id, event_type }) =>
    [...(types.get(event_type)?.properties ?? [])].flatMap(([name, growth]) => {
      const row = known.rowOf(id, name);
      return row === undefined ? [] : [{ row, growth }];
    }),
  );
}

const VALUE_TYPES: readonly ValueType[] = ["string", "number", "boolean", "null", "object", "array"];

/** What is left of a property; undefined for nothing. */
function leftOf({ row, growth }: Lost): PropertyRow | undefined {
  const value_types = { ...row.value_types };
  for (const type of VALUE_TYPES) value_types[type] -= growth.value_types[type];
  return VALUE_TYPES.some((type) => value_types[type] > 0) ? { ...row, value_types } : undefined;
}

/**
 * Takes events away from their properties. True where a type that has as many names as are kept loses one of them: which
 * other name should take its place is known from the events alone.
 */
export function* emptyProperties(
  store: RemovalStore,
  losses: Losses,
  known: KnownProperties,
  rows: RemovedRows,
): Work<boolean> {
  const lost = lostOf(losses, known);
  const emptied = new Set<number>();
  for (const one of lost) {
    const left = leftOf(one);
    if (left !== undefined) rows.put.properties.push(left);
    else {
      emptied.add(one.row.type_id);
      rows.emptied.properties.push(one.row.id);
    }
  }
  yield* emptyValueHours(
    store,
    lost.filter(({ row }) => row.distinct_values !== null),
    rows,
  );
  const counts = yield* store.propertyCounts([...emptied]);
  return counts.some(({ named }) => named >= MAX_NAMES);
}

function* numbersOf(store: RemovalStore, lost: readonly Lost[]): Work<Map<string, number>> {
  const keys = lost.flatMap(({ row, growth }) => {
    const values = new Set([...growth.hours.values()].flatMap((counts) => [...counts.keys()]));
    return [...values].map((value) => ({ property_id: row.id, value: JSON.stringify(value) }));
  });
  const rows = yield* store.values(keys);
  return new Map(rows.map(({ property_id, value, number }) => [`${property_id} ${value}`, number]));
}

function* emptyValueHours(store: RemovalStore, lost: readonly Lost[], rows: RemovedRows): Work<void> {
  const numbers = yield* numbersOf(store, lost);
  const numberOf = (property: number, value: Scalar): number =>
    numbers.get(`${property} ${JSON.stringify(value)}`) ?? 0;
  const growths = new Map(lost.map(({ row, growth }) => [row.id, growth]));
  const keys = lost.flatMap(({ row, growth }) =>
    [...growth.hours.keys()].map((hour) => ({ property_id: row.id, hour })),
  );
  for (const { property_id, hour, counts: bytes } of yield* store.valueHours(keys)) {
    const counts = new Map<number, number>();
    readValueCounts(bytes, (value, count) => void counts.set(value, count));
    for (const [value, count] of growths.get(property_id)?.hours.get(hour) ?? [])
      addTo(counts, numberOf(property_id, value), -count);
    for (const [value, count] of counts)
      if (count === 0) entry(rows.lostValues, property_id, () => new Set<number>()).add(value);
    const left = new Map([...counts].filter(([, count]) => count > 0));
    if (left.size === 0) rows.emptied.valueHours.push({ property_id, hour });
    else rows.put.valueHours.push({ property_id, hour, counts: writeValueCounts(left) });
  }
}

// Most values are found again in the last hours: then the others need not be read.
const STRETCHES = [24, 24 * 7, Number.POSITIVE_INFINITY];

/**
 * The values of a property that no event has any more, of all values or of those that were lost in some hour. Their numbers
 * are not given to other values.
 */
export function* unusedValues(
  store: RemovalStore,
  { id, type_id }: Pick<PropertyRow, "id" | "type_id">,
  lost?: ReadonlySet<number>,
): Work<ValueRow[]> {
  const left = new Map<number, ValueRow>();
  for (const value of yield* store.valuesOf(id))
    if (lost === undefined || lost.has(value.number)) left.set(value.number, value);
  let [last = ALL_HOURS.last] = yield* store.latestHours([type_id], ALL_HOURS, 1);
  for (const hours of STRETCHES) {
    if (left.size === 0) break;
    const first = Math.max(ALL_HOURS.first, last - hours);
    for (const { counts } of yield* store.valueHoursBetween(id, { first, last }))
      readValueCounts(counts, (value) => void left.delete(value));
    last = first - 1;
  }
  return [...left.values()];
}
