import { holdsAll, propertiesOf } from "../../domain/reports/condition.ts";
import type { EventPage, StoredEvent } from "../../domain/reports/event-list.ts";
import type { Query } from "./client.ts";
import { isOfTypes, mayHold, patternsOf, typesOf } from "./event-filter.ts";
import { epochOf } from "./tallies.ts";

// Where the domain decides which of them fit, nobody knows how many have to be read.
const ROWS_AT_ONCE = 1_000;

const SELECT = `
  select id, event_type, user_id, session_id, properties, ${epochOf("created_at")} as created_at, occurred_at,
    client_timestamp
  from events
  where (occurred_at, id) < ($1, $2) and occurred_at >= $3 and ${isOfTypes("$4")}
    and ($5::text is null or user_id = $5) and ($6::text is null or session_id = $6) and ${mayHold("$7")}
  order by occurred_at desc, id desc limit $8`;

/** Where the page begins: before this place in the order of time and id. */
function startOf({ after, to }: EventPage): [occurred_at: number, id: number] {
  if (after === undefined || after.occurred_at > to) return [to, Number.MIN_SAFE_INTEGER];
  return [after.occurred_at, after.id];
}

/** The events of a page, newest first. */
export async function listEvents(query: Query, page: EventPage): Promise<StoredEvent[]> {
  const { event_types, user_id = null, session_id = null, from, where, limit } = page;
  const atOnce = where.length === 0 ? limit : ROWS_AT_ONCE;
  const filter = [from, typesOf(event_types), user_id, session_id, patternsOf(where), atOnce];
  const found: StoredEvent[] = [];
  let place = startOf(page);
  for (;;) {
    const rows = await query<StoredEvent>(SELECT, [...place, ...filter]);
    found.push(...rows.filter((row) => where.length === 0 || holdsAll(where, propertiesOf(row.properties))));
    const last = rows.at(-1);
    if (last === undefined || rows.length < atOnce || found.length >= limit) return found.slice(0, limit);
    place = [last.occurred_at, last.id];
  }
}
