import { z } from "zod";
import { byText } from "../text.ts";
import { type Instant, IsoTime, isoTime } from "../time.ts";
import { Meta } from "./answer.ts";
import { propertiesOf } from "./condition.ts";
import type { AskedEvent } from "./trend-tally.ts";

export const ValueType = z.enum(["string", "number", "boolean", "null", "object", "array"]);
export type ValueType = z.infer<typeof ValueType>;

/** The number of events of a type that have a property, by the type of its value. */
export interface PropertySummary {
  readonly name: string;
  readonly value_types: Readonly<Partial<Record<ValueType, number>>>;
}

export interface TypeSummary {
  readonly event_type: string;
  readonly count: number;
  /** How many of them have expired, so that only their number is kept; undefined for none. */
  readonly counts_only?: number | undefined;
  /** Of the stored events; of a type without any, the first day that an event expired of, and the last. */
  readonly first_seen: Instant;
  readonly last_seen: Instant;
  readonly properties: readonly PropertySummary[];
  /** Whether the type has reached the number of properties that are kept, so that later ones are not among these. */
  readonly may_have_more_properties: boolean;
}

export const valueTypeOf = (value: unknown): ValueType => {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : (typeof value as ValueType);
};

export const Catalogue = z
  .strictObject({
    types: z.array(
      z.strictObject({
        event_type: z.string(),
        count: z.int(),
        /** How many of them have expired, so that only their number is kept; absent for none. */
        counts_only: z.int().optional(),
        first_seen: IsoTime,
        last_seen: IsoTime,
        properties: z.array(
          z.strictObject({
            name: z.string(),
            count: z.int(),
            value_types: z.partialRecord(ValueType, z.int()),
          }),
        ),
        /** Properties in all, including those that are not listed. */
        total_properties: z.int(),
        /** Of a type with very many properties only the first ones are known here; reports can ask for any. */
        may_have_more_properties: z.boolean(),
      }),
    ),
    total_types: z.int(),
    meta: Meta,
  })
  .meta({ id: "EventCatalogue" });
export type Catalogue = z.infer<typeof Catalogue>;

const MAX_PROPERTIES_SHOWN = 255;

const countOf = ({ value_types }: PropertySummary): number =>
  Object.values(value_types).reduce((sum, count) => sum + count, 0);

/** Sorts types and the properties of each, most frequent first. */
export function inOrder(types: readonly TypeSummary[]): TypeSummary[] {
  return types
    .map((type) => ({
      ...type,
      properties: [...type.properties].sort((a, b) => countOf(b) - countOf(a) || byText(a.name, b.name)),
    }))
    .sort((a, b) => b.count - a.count || byText(a.event_type, b.event_type));
}

export function describeCatalogue(types: readonly TypeSummary[], limit: number, meta: Meta): Catalogue {
  const shown = types
    .slice(0, limit)
    .map(
      ({ event_type, count, counts_only, first_seen, last_seen, properties, may_have_more_properties }) => ({
        event_type,
        count,
        ...(counts_only !== undefined && { counts_only }),
        first_seen: isoTime(first_seen),
        last_seen: isoTime(last_seen),
        properties: properties.slice(0, MAX_PROPERTIES_SHOWN).map((property) => ({
          name: property.name,
          count: countOf(property),
          value_types: { ...property.value_types },
        })),
        total_properties: properties.length,
        may_have_more_properties,
      }),
    );
  return { types: shown, total_types: types.length, meta };
}

/** Names of the properties of these event types, most frequent first. Without a type those of all types. */
export function mostFrequentProperties(
  types: readonly TypeSummary[],
  eventTypes: readonly string[],
): readonly string[] {
  const counts = new Map<string, number>();
  for (const { event_type, properties } of types) {
    if (eventTypes.length > 0 && !eventTypes.includes(event_type)) continue;
    for (const property of properties) {
      counts.set(property.name, (counts.get(property.name) ?? 0) + countOf(property));
    }
  }
  return [...counts].sort((a, b) => b[1] - a[1] || byText(a[0], b[0])).map(([name]) => name);
}

interface TypeTally {
  count: number;
  first_seen: Instant;
  last_seen: Instant;
  readonly properties: Map<string, Partial<Record<ValueType, number>>>;
}

/** Computes the catalogue from raw events, which may come in any order. */
export class CatalogueTally {
  readonly #types = new Map<string, TypeTally>();

  add({
    event_type,
    properties,
    occurred_at,
  }: Pick<AskedEvent, "event_type" | "properties" | "occurred_at">): void {
    const tally = this.#tallyOf(event_type, occurred_at);
    tally.count += 1;
    tally.first_seen = Math.min(tally.first_seen, occurred_at);
    tally.last_seen = Math.max(tally.last_seen, occurred_at);
    for (const [name, value] of Object.entries(propertiesOf(properties))) {
      const counts = tally.properties.get(name) ?? {};
      const type = valueTypeOf(value);
      counts[type] = (counts[type] ?? 0) + 1;
      tally.properties.set(name, counts);
    }
  }

  #tallyOf(event_type: string, at: Instant): TypeTally {
    const known = this.#types.get(event_type) ?? {
      count: 0,
      first_seen: at,
      last_seen: at,
      properties: new Map(),
    };
    this.#types.set(event_type, known);
    return known;
  }

  types(): TypeSummary[] {
    const types = [...this.#types].map(([event_type, { properties, ...tally }]) => ({
      event_type,
      ...tally,
      properties: [...properties].map(([name, value_types]) => ({ name, value_types })),
      may_have_more_properties: false,
    }));
    return inOrder(types);
  }
}
