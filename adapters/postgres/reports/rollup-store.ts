import { inOrder } from "../../rollups/overlay.ts";
import type { RemovalStore } from "../../rollups/removal/removed-rows.ts";
import {
  type HourKey,
  PAGE_ROWS,
  type Page,
  type PageStart,
  type PartKey,
  type PostingsRow,
  type PropertyCount,
  type PropertyKey,
  type PropertyRow,
  type QuestionStore,
  type RollupStore,
  type UserRow,
  type VisitorsRow,
} from "../../rollups/store.ts";
import { type Work, waitFor } from "../../rollups/work.ts";
import type { Query } from "../client.ts";
import {
  columnsOf,
  HOURS,
  POSTINGS,
  PROPERTIES,
  type PropertyColumns,
  type StoredVisitors,
  selectBy,
  TYPES,
  USERS,
  VALUE_HOURS,
  VALUES,
  VISITORS,
  valuesOf,
} from "./rollup-tables.ts";
import type { VisitorCache, VisitorsVersion } from "./visitor-cache.ts";

// Reads rollups from tables of PostgreSQL, within the transaction of the query.

const SELECT_USERS = `select ${columnsOf(USERS)} from event_users as t`;
const SELECT_TYPES = `select ${columnsOf(TYPES)} from event_types as t`;
const SELECT_PROPERTIES = `select ${columnsOf(PROPERTIES)} from event_properties as t`;
const COUNT_PROPERTIES = `
  select type_id, count(*) as named, count(distinct_values) as counted from event_properties
  where type_id = any($1::bigint[]) group by type_id`;
const SELECT_NAMES = "select type_id, name from event_properties where type_id = any($1::bigint[])";
const SELECT_VALUES = `select ${columnsOf(VALUES)} from event_values as t where property_id = $1`;
const HOURS_BETWEEN = `
  select ${columnsOf(HOURS)} from event_hours as t where type_id = $1 and day between $2 and $3`;
const VALUE_HOURS_BETWEEN = `
  select ${columnsOf(VALUE_HOURS)} from event_value_hours as t where property_id = $1 and hour between $2 and $3`;

const pageOf = (columns: string, table: string, rows = PAGE_ROWS): string => `
  select ${columns} from ${table} as t
  where type_id = $1 and (hour, part) > ($2, $3) and hour <= $4 order by hour, part limit ${rows}`;
// Where most sets are in the cache, reading their versions is what takes time: a row for each of them would take the longest.
const VERSIONS_AT_ONCE = 5 * PAGE_ROWS;
const VERSIONS_PAGE = `
  select json_agg(hour) as hours, json_agg(part) as parts, json_agg(build) as builds
  from (${pageOf("hour, part, build", "event_visitors", VERSIONS_AT_ONCE)}) as versions`;
const PART_KEY = ["type_id", "hour", "part"] as const;
const VISITORS_OF = selectBy(VISITORS, PART_KEY);
const VISITORS_PAGE = pageOf(columnsOf(VISITORS), "event_visitors");
const POSTINGS_PAGE = pageOf(columnsOf(POSTINGS), "event_postings");
const POSTINGS_AT = `
  select ${columnsOf(POSTINGS)} from event_postings as t
  where type_id = any($1::bigint[]) and hour = any($2::bigint[])`;

const lastPartOf = (columns: string, table: string): string => `
  select t.* from unnest($1::bigint[], $2::bigint[]) as k(type_id, hour)
  cross join lateral (
    select ${columns} from ${table} as t
    where t.type_id = k.type_id and t.hour = k.hour order by part desc limit 1
  ) as t`;
const LAST_VISITORS = lastPartOf(columnsOf(VISITORS), "event_visitors");
const LAST_POSTINGS = lastPartOf(columnsOf(POSTINGS), "event_postings");

const LATEST_HOURS = `
  select distinct p.hour from unnest($1::bigint[]) as k(type_id)
  cross join lateral (
    select distinct hour from event_postings
    where type_id = k.type_id and hour between $2 and $3 order by hour desc limit $4
  ) as p
  order by hour desc limit $4`;

const propertyOf = ({
  id,
  type_id,
  name,
  distinct_values,
  ...value_types
}: PropertyColumns): PropertyRow => ({ id, type_id, name, distinct_values, value_types });

export const columnsOfProperty = ({ value_types, ...row }: PropertyRow): PropertyColumns => ({
  ...row,
  ...value_types,
});

const hourValues = (keys: readonly HourKey[]): unknown[] => valuesOf<HourKey>(["type_id", "hour"], keys);

const VISITORS_AT = `
  select ${columnsOf(VISITORS)} from event_visitors as t
  where type_id = any($1::bigint[]) and hour = any($2::bigint[])`;

const POSTINGS_WITH = `
  select ${columnsOf(POSTINGS)} from event_postings as t
  where type_id = any($1::bigint[]) and hour = any($2::bigint[]) and position($3::bytea in entries) > 0`;

/** The store of removals. */
export const createRemovalStore = (query: Query): RemovalStore => ({
  ...createRollupStore(query),
  postingsWith: (typeIds, hours, bytes) =>
    waitFor(query<PostingsRow>(POSTINGS_WITH, [typeIds, hours, Buffer.from(bytes)])),
  visitorsAt: (typeIds, hours) => waitFor(query<VisitorsRow>(VISITORS_AT, [typeIds, hours])),
});

/** The versions of a page's rows, in columns; null where there are no rows. */
interface VersionColumns {
  readonly hours: readonly number[] | null;
  readonly parts: readonly number[] | null;
  readonly builds: readonly number[] | null;
}

/** The store of questions. It reads the sets of users that the cache lacks. */
export function createQuestionStore(query: Query, cache: VisitorCache): QuestionStore {
  function* versionsOf({ type_id, last, after }: PageStart): Work<VisitorsVersion[]> {
    const values = [type_id, after.hour, after.part, last];
    const [columns] = yield* waitFor(query<VersionColumns>(VERSIONS_PAGE, values));
    const { hours, parts, builds } = columns ?? {};
    return (hours ?? []).map((hour, at) => ({
      type_id,
      hour,
      part: parts?.[at] ?? 0,
      build: builds?.[at] ?? 0,
    }));
  }

  function* visitorsPage(start: PageStart): Work<Page<VisitorsRow>> {
    const versions = yield* versionsOf(start);
    const isLast = versions.length < VERSIONS_AT_ONCE;
    const rows: VisitorsRow[] = [];
    const missing: VisitorsVersion[] = [];
    for (const version of versions) {
      const row = cache.get(version);
      if (row === undefined) missing.push(version);
      else rows.push(row);
    }
    if (missing.length === 0) return { rows, isLast };
    for (let at = 0; at < missing.length; at += PAGE_ROWS) {
      const keys = valuesOf<PartKey>(PART_KEY, missing.slice(at, at + PAGE_ROWS));
      for (const row of yield* waitFor(query<StoredVisitors>(VISITORS_OF, keys))) {
        cache.add(row);
        rows.push(row);
      }
    }
    return { rows: rows.sort(inOrder), isLast };
  }
  return { ...createRollupStore(query), visitorsPage };
}

/** Without keys there are no rows: a build, which remembers most of them, often asks for none. */
const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

export function createRollupStore(query: Query): RollupStore {
  function* read<Row>(statement: string, values: readonly unknown[]): Work<Row[]> {
    if (values.some(isEmptyList)) return [];
    return yield* waitFor(query<Row>(statement, values));
  }

  function* page<Row extends PartKey>(
    statement: string,
    { type_id, last, after }: PageStart,
  ): Work<Page<Row>> {
    const rows = yield* read<Row>(statement, [type_id, after.hour, after.part, last]);
    return { rows, isLast: rows.length < PAGE_ROWS };
  }

  return {
    users: (ids) =>
      ids === undefined ? read<UserRow>(SELECT_USERS, []) : read(selectBy(USERS, ["user_id"]), [ids]),
    types: (names) =>
      names === undefined ? read(SELECT_TYPES, []) : read(selectBy(TYPES, ["event_type"]), [names]),
    *properties(keys) {
      const rows: PropertyColumns[] =
        keys === undefined
          ? yield* read(SELECT_PROPERTIES, [])
          : yield* read(selectBy(PROPERTIES, ["type_id", "name"]), valuesOf(["type_id", "name"], keys));
      return rows.map(propertyOf);
    },
    propertyCounts: (typeIds) => read<PropertyCount>(COUNT_PROPERTIES, [typeIds]),
    namesOf: (typeIds) => read<PropertyKey>(SELECT_NAMES, [typeIds]),
    values: (keys) =>
      read(selectBy(VALUES, ["property_id", "value"]), valuesOf(["property_id", "value"], keys)),
    valuesOf: (propertyId) => read(SELECT_VALUES, [propertyId]),
    hours: (keys) => read(selectBy(HOURS, ["type_id", "day"]), valuesOf(["type_id", "day"], keys)),
    hoursBetween: (typeId, first, last) => read(HOURS_BETWEEN, [typeId, first, last]),
    valueHours: (keys) =>
      read(selectBy(VALUE_HOURS, ["property_id", "hour"]), valuesOf(["property_id", "hour"], keys)),
    valueHoursBetween: (propertyId, { first, last }) => read(VALUE_HOURS_BETWEEN, [propertyId, first, last]),
    lastVisitors: (keys) => read(LAST_VISITORS, hourValues(keys)),
    lastPostings: (keys) => read(LAST_POSTINGS, hourValues(keys)),
    visitorsPage: (start) => page(VISITORS_PAGE, start),
    postingsPage: (start) => page(POSTINGS_PAGE, start),
    postingsAt: (typeIds, hours) => read(POSTINGS_AT, [typeIds, hours]),
    *latestHours(typeIds, { first, last }, limit) {
      const rows = yield* read<{ hour: number }>(LATEST_HOURS, [typeIds, first, last, limit]);
      return rows.map(({ hour }) => hour);
    },
  };
}
