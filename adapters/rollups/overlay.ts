import { entry } from "./build/growth.ts";
import type {
  HourSpan,
  Page,
  PageStart,
  PartKey,
  PropertyCount,
  PropertyKey,
  PropertyRow,
  QuestionStore,
  RollupRows,
} from "./store.ts";

type KeyOf<Row> = (row: Row) => string;

/** The rows of a store, where those of the overlay replace the ones with the same key. */
function merged<Row>(stored: readonly Row[], laid: readonly Row[], keyOf: KeyOf<Row>): Row[] {
  if (laid.length === 0) return [...stored];
  return [...new Map([...stored, ...laid].map((row) => [keyOf(row), row])).values()];
}

const keyOfPart = ({ type_id, hour, part }: PartKey): string => `${type_id} ${hour} ${part}`;
const keyOfProperty = ({ type_id, name }: PropertyKey): string => `${type_id} ${name}`;
const lies = (hour: number, { first, last }: HourSpan): boolean => hour >= first && hour <= last;

/** The count of a type's properties with those that a store lacks. */
function withNew(
  type_id: number,
  stored: PropertyCount | undefined,
  fresh: readonly PropertyRow[],
): PropertyCount {
  const counted = fresh.filter(({ distinct_values }) => distinct_values !== null).length;
  return {
    type_id,
    named: (stored?.named ?? 0) + fresh.length,
    counted: (stored?.counted ?? 0) + counted,
  };
}

type Place = Pick<PartKey, "hour" | "part">;
/** The order of parts on a page. */
export const inOrder = (a: Place, b: Place): number => a.hour - b.hour || a.part - b.part;

/** A page that ends where the stored one does. */
function page<Row extends PartKey>(stored: Page<Row>, laid: readonly Row[], start: PageStart): Page<Row> {
  const { rows, isLast } = stored;
  const end = isLast ? undefined : rows.at(-1);
  const within = laid.filter(
    (row) =>
      row.type_id === start.type_id &&
      row.hour <= start.last &&
      inOrder(start.after, row) < 0 &&
      (end === undefined || inOrder(row, end) <= 0),
  );
  return { rows: merged(rows, within, keyOfPart).sort(inOrder), isLast };
}

/** The store as it would be with these rows put: how an answer includes events that are not built yet. */
export function overlaid(store: QuestionStore, laid: RollupRows): QuestionStore {
  const uncounted = new Set(laid.uncountedProperties);
  const isCounted = ({ property_id }: { property_id: number }): boolean => !uncounted.has(property_id);

  return {
    *users(ids) {
      const wanted = ids && new Set(ids);
      const some = laid.users.filter(({ user_id }) => wanted === undefined || wanted.has(user_id));
      return [...(yield* store.users(ids)), ...some];
    },
    *types(names) {
      const some = laid.types.filter(({ event_type }) => names === undefined || names.includes(event_type));
      return merged(yield* store.types(names), some, ({ event_type }) => event_type);
    },
    *properties(keys) {
      const wanted = keys && new Set(keys.map(keyOfProperty));
      const some = laid.properties.filter((row) => wanted === undefined || wanted.has(keyOfProperty(row)));
      return merged(yield* store.properties(keys), some, keyOfProperty);
    },
    *propertyCounts(typeIds) {
      const some = laid.properties.filter(({ type_id }) => typeIds.includes(type_id));
      const known = new Set((yield* store.properties(some)).map(keyOfProperty));
      const fresh = new Map<number, PropertyRow[]>();
      for (const row of some) {
        if (!known.has(keyOfProperty(row))) entry(fresh, row.type_id, () => []).push(row);
      }
      const stored = yield* store.propertyCounts(typeIds);
      const counts = [...fresh].map(([type_id, rows]) =>
        withNew(
          type_id,
          stored.find((count) => count.type_id === type_id),
          rows,
        ),
      );
      return merged(stored, counts, ({ type_id }) => `${type_id}`);
    },
    *valuesOf(propertyId) {
      const some = laid.values.filter(({ property_id }) => property_id === propertyId);
      return [...(yield* store.valuesOf(propertyId)), ...some].filter(isCounted);
    },
    *hoursBetween(typeId, firstDay, lastDay) {
      const some = laid.hours.filter(
        ({ type_id, day }) => type_id === typeId && day >= firstDay && day <= lastDay,
      );
      return merged(yield* store.hoursBetween(typeId, firstDay, lastDay), some, ({ day }) => `${day}`);
    },
    *valueHoursBetween(propertyId, span) {
      const some = laid.valueHours.filter(
        ({ property_id, hour }) => property_id === propertyId && lies(hour, span),
      );
      const stored = yield* store.valueHoursBetween(propertyId, span);
      return merged(stored, some, ({ hour }) => `${hour}`).filter(isCounted);
    },
    *visitorsPage(start) {
      return page(yield* store.visitorsPage(start), laid.visitors, start);
    },
    *postingsPage(start) {
      return page(yield* store.postingsPage(start), laid.postings, start);
    },
    *postingsAt(typeIds, hours) {
      const some = laid.postings.filter(
        ({ type_id, hour }) => typeIds.includes(type_id) && hours.includes(hour),
      );
      return merged(yield* store.postingsAt(typeIds, hours), some, keyOfPart);
    },
    *latestHours(typeIds, span, limit) {
      const some = laid.postings
        .filter(({ type_id, hour }) => typeIds.includes(type_id) && lies(hour, span))
        .map(({ hour }) => hour);
      const all = new Set([...(yield* store.latestHours(typeIds, span, limit)), ...some]);
      return [...all].sort((a, b) => b - a).slice(0, limit);
    },
  };
}
