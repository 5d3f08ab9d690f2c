import type { TypeSummary, ValueType } from "../../../domain/reports/catalogue.ts";
import { inOrder } from "../../../domain/reports/catalogue.ts";
import { entry } from "../build/growth.ts";
import { MAX_NAMES, type PropertyRow, type QuestionStore } from "../store.ts";
import type { Work } from "../work.ts";

const VALUE_TYPES: readonly ValueType[] = ["string", "number", "boolean", "null", "object", "array"];

const foundTypes = ({ value_types }: PropertyRow): Partial<Record<ValueType, number>> =>
  Object.fromEntries(
    VALUE_TYPES.filter((type) => value_types[type] > 0).map((type) => [type, value_types[type]]),
  );

/**
 * The event types with their properties, the most frequent first. Of a type with as many names as are kept, later names
 * are not listed.
 */
export function* typesFromRollups(store: QuestionStore): Work<TypeSummary[]> {
  const properties = new Map<number, PropertyRow[]>();
  for (const row of yield* store.properties()) entry(properties, row.type_id, () => []).push(row);
  const types = (yield* store.types()).map(({ id, ...type }) => {
    const rows = properties.get(id) ?? [];
    return {
      ...type,
      properties: rows.map((row) => ({ name: JSON.parse(row.name) as string, value_types: foundTypes(row) })),
      may_have_more_properties: rows.length >= MAX_NAMES,
    };
  });
  return inOrder(types);
}

/** What events say about the properties that an answer from rollups lists, so that the two can be compared. */
export function withNamesOf(types: readonly TypeSummary[], answer: readonly TypeSummary[]): TypeSummary[] {
  const listed = new Map(
    answer.map(({ event_type, properties }) => [event_type, new Set(properties.map(({ name }) => name))]),
  );
  return types.map((type) => {
    if (type.properties.length < MAX_NAMES) return type;
    const properties = type.properties.filter(({ name }) => listed.get(type.event_type)?.has(name));
    return { ...type, properties, may_have_more_properties: true };
  });
}
