import type { Database } from "better-sqlite3";
import { holdsAll, propertiesOf } from "../../domain/reports/condition.ts";
import type { EventPage, EventPlace, StoredEvent } from "../../domain/reports/event-list.ts";
import { ALL_TYPES } from "./fold-plan.ts";
import { fromSql } from "./instants.ts";
import type { Patience } from "./patience.ts";
import { hourOf } from "./rollup-formats.ts";
import type { HourSpan, RollupReader } from "./rollup-reader.ts";

type Row = Omit<StoredEvent, "created_at"> & { created_at: string | number | Uint8Array };

const COLUMNS = "id, event_type, user_id, session_id, properties, created_at, occurred_at, client_timestamp";
// A page is often full after as many rows as it has; where it is not, ever more are read at once.
const MOST_ROWS_AT_ONCE = 2_000;
const BEFORE_ALL_IDS = Number.MIN_SAFE_INTEGER;

/** Whoever has put no time there gets the one that it counts at. */
function shown(row: Row): StoredEvent {
  const created = fromSql(row.created_at);
  return { ...row, created_at: Number.isNaN(created) ? row.occurred_at : created };
}

const fits = ({ event_types, user_id, session_id, where }: EventPage, row: Row): boolean =>
  (event_types.length === 0 || event_types.includes(row.event_type)) &&
  (user_id === undefined || row.user_id === user_id) &&
  (session_id === undefined || row.session_id === session_id) &&
  (where.length === 0 || holdsAll(where, propertiesOf(row.properties)));

/** Where a page begins: everything on it comes before this place in time. */
function beginning({ to, after }: EventPage): EventPlace {
  return after !== undefined && after.occurred_at < to ? after : { occurred_at: to, id: BEFORE_ALL_IDS };
}

const isBefore = (a: EventPlace, b: EventPlace): boolean =>
  a.occurred_at < b.occurred_at || (a.occurred_at === b.occurred_at && a.id < b.id);

const newestFirst = (a: EventPlace, b: EventPlace): number => b.occurred_at - a.occurred_at || b.id - a.id;

/** Lists events by going back in time. */
export function createEventLists(db: Database, reader: RollupReader) {
  const selectBefore = db.prepare<[number, number, number, number], Row>(
    `select ${COLUMNS} from events where (occurred_at, id) < (?, ?) and occurred_at >= ?
     order by occurred_at desc, id desc limit ?`,
  );
  const selectOne = db.prepare<[number], Row>(`select ${COLUMNS} from events where id = ?`);

  function* byTime(page: EventPage, patience: Patience): Generator<Row> {
    let place = beginning(page);
    for (let most = page.limit; ; most = Math.min(2 * most, MOST_ROWS_AT_ONCE)) {
      patience.check();
      const rows = selectBefore.all(place.occurred_at, place.id, page.from, most);
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined || rows.length < most) return;
      place = last;
    }
  }

  /** The places of an hour's events of these types and this user, newest first. */
  function placesIn(hour: number, { types, user, patience }: Narrowed): EventPlace[] {
    const places: EventPlace[] = [];
    for (const typeId of types) {
      reader.postings({ typeId, span: { first: hour, last: hour }, patience }, (who, occurred_at, id) => {
        if (user === undefined || who === user) places.push({ occurred_at, id });
      });
    }
    return places.sort(newestFirst);
  }

  /** The hours that may have some, latest first. */
  function* hours(span: HourSpan, { types, user, patience }: Narrowed): Generator<number> {
    if (user !== undefined) {
      yield* reader.hoursOf(user, span, patience);
      return;
    }
    for (let before = span.last + 1; ; ) {
      patience.check();
      const hour = reader.postingsHour(types, before);
      if (hour === undefined || hour < span.first) return;
      yield hour;
      before = hour;
    }
  }

  /** What is kept of types and users leads straight to their events, however rare they are. */
  function* byRollups(page: EventPage, narrowed: Narrowed): Generator<Row> {
    const place = beginning(page);
    for (const hour of hours({ first: hourOf(page.from), last: hourOf(place.occurred_at) }, narrowed)) {
      for (const one of placesIn(hour, narrowed)) {
        if (one.occurred_at < page.from || !isBefore(one, place)) continue;
        const row = selectOne.get(one.id);
        if (row !== undefined) yield row;
      }
    }
  }

  function narrow({ event_types, user_id }: EventPage, patience: Patience): Narrowed {
    const types =
      event_types.length === 0
        ? reader.idsOf(ALL_TYPES)
        : event_types.flatMap((type) => reader.typeId(type) ?? []);
    const user = user_id === undefined ? undefined : (reader.userNumber(user_id) ?? NOBODY);
    return { types, user, patience };
  }

  function take(page: EventPage, rows: Iterable<Row>): StoredEvent[] {
    const found: StoredEvent[] = [];
    for (const row of rows) {
      if (fits(page, row) && found.push(shown(row)) === page.limit) break;
    }
    return found;
  }

  return {
    /** The events of a page, found by time alone. */
    listByTime: (page: EventPage, patience: Patience): StoredEvent[] => take(page, byTime(page, patience)),

    /** The same by what is kept of types and users; undefined where the page asks for neither. */
    listByRollups(page: EventPage, patience: Patience): StoredEvent[] | undefined {
      if (page.event_types.length === 0 && page.user_id === undefined) return undefined;
      return take(page, byRollups(page, narrow(page, patience)));
    },
  };
}

interface Narrowed {
  readonly types: readonly number[];
  readonly user: number | undefined;
  readonly patience: Patience;
}

/** The number of a user who has no events. */
const NOBODY = -1;
