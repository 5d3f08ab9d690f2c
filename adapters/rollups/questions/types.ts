import type { TypeSummary, ValueType } from "../../../domain/reports/catalogue.ts";
import { inOrder } from "../../../domain/reports/catalogue.ts";
import { entry } from "../build/growth.ts";
import type { PropertyRow, QuestionStore } from "../store.ts";
import type { Work } from "../work.ts";

const VALUE_TYPES: readonly ValueType[] = ["string", "number", "boolean", "null", "object", "array"];

const foundTypes = ({ value_types }: PropertyRow): Partial<Record<ValueType, number>> =>
  Object.fromEntries(
    VALUE_TYPES.filter((type) => value_types[type] > 0).map((type) => [type, value_types[type]]),
  );

/** The event types with their properties, the most frequent first. */
export function* typesFromRollups(store: QuestionStore): Work<TypeSummary[]> {
  const properties = new Map<number, PropertyRow[]>();
  for (const row of yield* store.properties()) entry(properties, row.type_id, () => []).push(row);
  const types = (yield* store.types()).map(({ id, ...type }) => ({
    ...type,
    properties: (properties.get(id) ?? []).map((row) => ({
      name: JSON.parse(row.name) as string,
      value_types: foundTypes(row),
    })),
  }));
  return inOrder(types);
}
