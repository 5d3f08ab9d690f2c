import { type Comparison, type Condition, isEquality } from "../../../domain/reports/condition.ts";
import type { StoredEvent } from "../../../domain/reports/event-list.ts";
import { EARLIEST, LATEST } from "../../../domain/time.ts";
import { isOnPage, startOfPage } from "../../rollups/questions/list.ts";
import type { EventSource, PersonPage, RawEvent, RawRange } from "../../rollups/store.ts";
import { type Work, waitFor } from "../../rollups/work.ts";
import type { Query } from "../client.ts";
import { epochOf } from "../experiments/expressions.ts";

// Reads events within a snapshot.

// Some milliseconds' worth of work, after which the process does something else.
const ROWS_AT_ONCE = 2_000;
// The number of rows that are read at once where the domain decides which events are on a page.
const PAGE_ROWS = 1_000;

const LISTED = `id, event_type, user_id, session_id, properties, ${epochOf("created_at")} as created_at, occurred_at,
  client_timestamp`;

/**
 * An SQL expression: when an event happened. A row that another program has inserted may have no time but that of its
 * creation; one with no valid time happened now.
 */
export const EVENT_TIME = `coalesce(occurred_at,
  case when isfinite(created_at) then least(${LATEST}, greatest(${EARLIEST}, ${epochOf("created_at")})) end,
  ${epochOf("current_timestamp")})`;

/** A pattern of LIKE: the text anywhere in another. */
const containing = (text: string): string => `%${text.replace(/[\\%_]/g, "\\$&")}%`;

const holdsWithoutProperty = ({ operator }: Comparison): boolean =>
  operator === "not" || operator === "not_set";

/**
 * Patterns that the properties of every event match that meets the conditions, unless something is escaped there: each
 * property's name, and the value where it can be written in one way only. Null for none.
 */
function patternsOf(where: readonly Condition[]): readonly string[] | null {
  const texts = where.flatMap((condition) => {
    const { property } = condition;
    if (!isEquality(condition)) return holdsWithoutProperty(condition) ? [] : [property];
    const [value, ...others] = condition.values;
    return typeof value === "string" && others.length === 0 ? [property, value] : [property];
  });
  return texts.length === 0 ? null : texts.map((text) => containing(JSON.stringify(text)));
}

/** Null for all types. */
const typesOf = (types: readonly (string | null)[]): readonly (string | null)[] | null =>
  types.length === 0 || types.includes(null) ? null : types;

// The user is not being erased. While one is, every answer comes from the events.
const isShown = (userId: string): string =>
  `(${userId} is null or ${userId} not in (select user_id from erasing))`;

// Users may come in any order: that of their bytes is sorted fastest.
const PERSON = "coalesce(l.person_id, e.user_id)";
const ORDER = `order by ${PERSON} collate "C", occurred_at, id`;

const rangeOf = ({ properties, byUser = false }: RawRange): string => `
  declare report no scroll cursor for
  select id, event_type, ${PERSON} as user_id, session_id, ${properties ? "properties" : "null as properties"},
    occurred_at
  from events e left join user_links l on l.user_id = e.user_id
  where occurred_at >= $1 and occurred_at < $2 and ($3::text[] is null or event_type = any($3)) and ${isShown("e.user_id")}
    ${byUser ? `and e.user_id is not null ${ORDER}` : ""}`;

// Properties are compared as text, only to read fewer events; the domain decides. SQL cannot: properties are what
// JavaScript writes or another program has stored, and PostgreSQL's JSON refuses U+0000 and lone surrogates, takes 5.0 for
// another text than 5, and ends the statement at one text that is no JSON.
const PAGE = `
  select ${LISTED} from events
  where (occurred_at, id) < ($1, $2) and occurred_at >= $3 and ($4::text[] is null or event_type = any($4))
    and ${isShown("user_id")} and ($5::text[] is null or user_id = any($5)) and ($6::text is null or session_id = $6)
    and ($7::text[] is null or properties like all ($7) or strpos(properties, '\\') > 0)
  order by occurred_at desc, id desc limit $8`;

export function createEventSource(query: Query): EventSource {
  return {
    *visit(range, visit) {
      yield* waitFor(query(rangeOf(range), [range.from, range.to, typesOf(range.types)], { once: true }));
      for (;;) {
        const rows = yield* waitFor(query<RawEvent>(`fetch ${ROWS_AT_ONCE} from report`));
        for (const row of rows) visit(row);
        if (rows.length < ROWS_AT_ONCE) break;
      }
      yield* waitFor(query("close report"));
    },

    *propertiesOf(ids) {
      const rows = yield* waitFor(
        query<{ id: number; properties: string | null }>(
          "select id, properties from events where id = any($1::bigint[])",
          [ids],
        ),
      );
      return new Map(rows.map(({ id, properties }) => [id, properties]));
    },

    eventsOf: (ids) =>
      waitFor(query<StoredEvent>(`select ${LISTED} from events where id = any($1::bigint[])`, [ids])),

    page: (page) => listPage(query, page),
  };
}

/** Goes back in time, a page of rows at a time, until the page is full. */
function* listPage(query: Query, page: PersonPage): Work<StoredEvent[]> {
  const { event_types, user_ids = null, session_id = null, from, where, limit } = page;
  const atOnce = where.length === 0 ? limit : PAGE_ROWS;
  const filter = [from, typesOf(event_types), user_ids, session_id, patternsOf(where), atOnce];
  const found: StoredEvent[] = [];
  let place = startOfPage(page);
  for (;;) {
    const values = [place.occurred_at, place.id, ...filter];
    const rows = yield* waitFor(query<StoredEvent>(PAGE, values, { once: true }));
    for (const event of rows) {
      if (isOnPage(page, event) && found.push(event) === limit) return found;
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < atOnce) return found;
    place = last;
  }
}
