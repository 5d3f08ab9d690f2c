import type { Database } from "better-sqlite3";

/**
 * Id, type, user, properties, when it happened, and where that is not known when it was created; and whether there are bytes
 * where text belongs.
 */
export type EventRow = [
  id: number,
  event_type: string,
  user_id: string | null,
  properties: string | null,
  occurred_at: number | null,
  created_at: string | number | Uint8Array | null,
  has_bytes: number,
];

// What one plan reads of properties: wide events make many rows, and who carries the plan out writes them all at once. With
// this, five thousand usual events are read together, and a million hostile properties are not.
const MAX_CHARACTERS = 1_000_000;

/** The events that have not been counted, as they stand in the table: other programs may have put in there what they like. */
export function createUncounted(db: Database) {
  // Rows as lists: of half of what is read here, an object's names would be the other half.
  const selectRows = db
    .prepare<[number, number], EventRow>(
      `select id, cast(event_type as text), cast(user_id as text), properties, occurred_at,
         iif(occurred_at is null, created_at, null), 'blob' in (typeof(event_type), typeof(user_id), typeof(session_id))
       from events where id > ? order by id limit ?`,
    )
    .raw();

  return {
    /** The next ones after this id, at most so many; where they are wide, fewer. */
    after(through: number, most: number): EventRow[] {
      const events: EventRow[] = [];
      let characters = 0;
      for (const event of selectRows.iterate(through, most)) {
        events.push(event);
        characters += event[3]?.length ?? 0;
        if (characters >= MAX_CHARACTERS) break;
      }
      return events;
    },
  };
}
