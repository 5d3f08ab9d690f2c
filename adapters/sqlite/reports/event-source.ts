import type { Database } from "better-sqlite3";
import type { EventPlace, StoredEvent } from "../../../domain/reports/event-list.ts";
import type { UnbuiltEvent } from "../../rollups/build/builder.ts";
import { isOnPage, startOfPage } from "../../rollups/questions/list.ts";
import type { EventSource, PersonPage, RawEvent, RawRange } from "../../rollups/store.ts";
import type { Work } from "../../rollups/work.ts";
import { fromSql, timeOf } from "../instants.ts";
import type { EventTime } from "./rollup-writer.ts";

type ListedRow = Omit<StoredEvent, "created_at"> & { created_at: string | number | Uint8Array };

// A statement cannot be interrupted, so each reads some milliseconds' worth of rows.
const ROWS_AT_ONCE = 5_000;
// A page is often full after as many rows as it has; where it is not, twice as many are read each time.
const MOST_PAGE_ROWS = 2_000;
const BEFORE_ALL_IDS = Number.MIN_SAFE_INTEGER;
const LISTED = "id, event_type, user_id, session_id, properties, created_at, occurred_at, client_timestamp";

// The user is not being erased. While one is, every answer comes from the events.
const IS_SHOWN = "(events.user_id is null or events.user_id not in (select user_id from erasing))";

/** A creation time that is none is shown as the time of the event. */
function shown(row: ListedRow): StoredEvent {
  const created = fromSql(row.created_at);
  return { ...row, created_at: Number.isNaN(created) ? row.occurred_at : created };
}

/** Reads events up to the id that `upTo` gives at the time. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the statements, prepared once, and the reads that use them.
export function createEventSource(db: Database, upTo: () => number): EventSource {
  const selectPiece = db.prepare<[number, number, number], EventPlace>(
    `select occurred_at, id from events where (occurred_at, id) > (?, ?) and occurred_at < ?
     order by occurred_at, id limit 1 offset ${ROWS_AT_ONCE - 1}`,
  );
  const selectRows = db.prepare<
    [number, number, number, number, number, string | null, string | null],
    RawEvent
  >(
    `select id, event_type, session_id, properties, occurred_at,
       coalesce((select person_id from user_links l where l.user_id = events.user_id), user_id) as user_id
     from events where (occurred_at, id) > (?, ?) and (occurred_at, id) <= (?, ?) and id <= ?
       and (? is null or event_type in (select value from json_each(?))) and ${IS_SHOWN}
     order by occurred_at, id`,
  );
  const selectProperties = db
    .prepare<[number], string | null>("select properties from events where id = ?")
    .pluck();
  const selectOne = db.prepare<[number], ListedRow>(`select ${LISTED} from events where id = ?`);
  const selectBefore = db.prepare<[number, number, number, number], ListedRow>(
    `select ${LISTED} from events where (occurred_at, id) < (?, ?) and occurred_at >= ? and ${IS_SHOWN}
     order by occurred_at desc, id desc limit ?`,
  );

  /** Visits events in the order of time and id. */
  function* inTime({ from, to, types }: RawRange, visit: (event: RawEvent) => void): Work<void> {
    const newest = upTo();
    const chosen = types.length === 0 || types.includes(null) ? null : JSON.stringify(types);
    let start: EventPlace = { occurred_at: from, id: BEFORE_ALL_IDS };
    for (let more = true; more; ) {
      yield;
      const piece = selectPiece.get(start.occurred_at, start.id, to);
      more = piece !== undefined;
      const end = piece ?? { occurred_at: to, id: BEFORE_ALL_IDS };
      const place = [start.occurred_at, start.id, end.occurred_at, end.id] as const;
      for (const row of selectRows.all(...place, newest, chosen, chosen)) visit(row);
      start = end;
    }
  }

  function* byUser(range: RawRange, visit: (event: RawEvent) => void): Work<void> {
    const users = new Map<string, RawEvent[]>();
    yield* inTime(range, (event) => {
      if (event.user_id === null) return;
      const known = users.get(event.user_id);
      if (known === undefined) users.set(event.user_id, [event]);
      else known.push(event);
    });
    let visited = 0;
    for (const events of users.values()) {
      for (const event of events) visit(event);
      visited += events.length;
      if (visited < ROWS_AT_ONCE) continue;
      visited = 0;
      yield;
    }
  }

  return {
    visit: (range, visit) => (range.byUser === true ? byUser : inTime)(range, visit),

    *propertiesOf(ids) {
      yield;
      return new Map(ids.map((id) => [id, selectProperties.get(id) ?? null]));
    },

    *eventsOf(ids) {
      yield;
      return ids.flatMap((id) => selectOne.get(id) ?? []).map(shown);
    },

    *page(page: PersonPage) {
      const found: StoredEvent[] = [];
      let place = startOfPage(page);
      for (let most = page.limit; ; most = Math.min(2 * most, MOST_PAGE_ROWS)) {
        yield;
        const rows = selectBefore.all(place.occurred_at, place.id, page.from, most);
        for (const event of rows.map(shown)) {
          if (isOnPage(page, event) && found.push(event) === page.limit) return found;
        }
        const last = rows.at(-1);
        if (last === undefined || rows.length < most) return found;
        place = last;
      }
    },
  };
}

type UnbuiltRow = [
  id: number,
  event_type: string,
  user_id: string | null,
  properties: string | null,
  occurred_at: number | null,
  created_at: string | number | Uint8Array | null,
  has_bytes: number,
];

/** Events that are not in the rollups yet, and the repairs of events that another program has inserted. */
export interface UnbuiltEvents {
  readonly events: UnbuiltEvent[];
  readonly times: EventTime[];
  readonly bytes: number[];
}

// The properties that one build reads.
const MAX_CHARACTERS = 1_000_000;
// A build of wide events with new properties takes a few of them only; the others would be read for nothing.
const USUAL_ENTRIES = 32;
const MAX_WIDE_ENTRIES = 20_000;
const COMMA = 0x2c;

/** How many entries an event's properties have beyond the usual number; a comma in a text counts too. */
function wideEntries(properties: string | null): number {
  if (properties === null || properties.length < 6 * USUAL_ENTRIES) return 0;
  let entries = 1;
  for (let at = 0; at < properties.length; at += 1) if (properties.charCodeAt(at) === COMMA) entries += 1;
  return Math.max(0, entries - USUAL_ENTRIES);
}

/** Reads the next events after an id, at most `most`; fewer where they are wide. */
export function createUnbuiltReader(db: Database) {
  // Rows as arrays: with this many rows, half of the time would go into the names of objects.
  const select = db
    .prepare<[number, number], UnbuiltRow>(
      `select id, cast(event_type as text), cast(user_id as text), properties, occurred_at,
         iif(occurred_at is null, created_at, null), 'blob' in (typeof(event_type), typeof(user_id), typeof(session_id))
       from events where id > ? order by id limit ?`,
    )
    .raw();

  return (through: number, most: number): UnbuiltEvents => {
    const unbuilt: UnbuiltEvents = { events: [], times: [], bytes: [] };
    const left = { characters: MAX_CHARACTERS, entries: MAX_WIDE_ENTRIES };
    for (const [id, event_type, user_id, properties, occurred, created, hasBytes] of select.iterate(
      through,
      most,
    )) {
      const occurred_at = occurred ?? timeOf(created);
      if (occurred === null) unbuilt.times.push({ id, occurred_at });
      if (hasBytes === 1) unbuilt.bytes.push(id);
      unbuilt.events.push({ id, event_type, user_id, properties, occurred_at });
      left.characters -= properties?.length ?? 0;
      left.entries -= wideEntries(properties);
      if (Math.min(left.characters, left.entries) <= 0) break;
    }
    return unbuilt;
  };
}
