import type { Database } from "better-sqlite3";
import type { TypeSummary, ValueType } from "../../domain/reports/catalogue.ts";
import { entry } from "./fold.ts";
import { nameFromSql } from "./property-names.ts";

interface TypeRow {
  id: number;
  event_type: string;
  count: number;
  first_seen: number;
  last_seen: number;
}

type PropertyRow = { type_id: number; name: string | Uint8Array } & Record<ValueType, number>;

const VALUE_TYPES: readonly ValueType[] = ["string", "number", "boolean", "null", "object", "array"];

const foundTypes = (row: PropertyRow): Partial<Record<ValueType, number>> =>
  Object.fromEntries(VALUE_TYPES.filter((type) => row[type] > 0).map((type) => [type, row[type]]));

/** The types of events and their properties, as they are kept. */
export function createTypeCatalogue(db: Database) {
  const selectTypes = db.prepare<[], TypeRow>(
    "select id, event_type, count, first_seen, last_seen from event_types",
  );
  const selectProperties = db.prepare<[], PropertyRow>(
    `select type_id, name, strings as string, numbers as number, booleans as boolean, nulls as "null",
       objects as object, arrays as array
     from event_properties`,
  );

  return {
    types(): TypeSummary[] {
      const properties = new Map<number, PropertyRow[]>();
      for (const row of selectProperties.all()) entry(properties, row.type_id, () => []).push(row);
      return selectTypes.all().map(({ id, ...type }) => ({
        ...type,
        properties: (properties.get(id) ?? []).map((row) => ({
          name: nameFromSql(row.name),
          value_types: foundTypes(row),
        })),
      }));
    },
  };
}
