import type { Database } from "better-sqlite3";
import type { AssignedUser, AssignmentSource } from "../../rollups/store.ts";
import { fromSql } from "../instants.ts";

type Row = readonly [
  user_id: string,
  person_id: string | null,
  number: number | null,
  variant_id: number,
  assigned_at: string | number | Uint8Array,
];

const assignedUserOf = ([user_id, person_id, number, variant_id, assigned_at]: Row): AssignedUser => {
  const time = fromSql(assigned_at);
  const known = Number.isNaN(time) ? Number.POSITIVE_INFINITY : time;
  return { user_id, person_id, number, variant_id, assigned_at: known };
};

// A statement cannot be interrupted, so each reads some milliseconds' worth of rows, whatever their experiments are.
const ROWS_AT_ONCE = 10_000;

/** Reads assignments for reports, in the order in which they were stored. */
export function createAssignmentSource(db: Database): AssignmentSource {
  const selectEnd = db
    .prepare<[number], number>(
      `select id from ab_assignments where id > ? order by id limit 1 offset ${ROWS_AT_ONCE - 1}`,
    )
    .pluck();
  // Rows as arrays: as objects they would take a third more time.
  const selectRows = db
    .prepare<[number, number, number], Row>(
      `select user_id,
         (select person_id from user_links l where l.user_id = a.user_id),
         (select number from event_users u where u.user_id = a.user_id),
         variant_id, assigned_at
       from ab_assignments a where id > ? and id <= ? and test_id = ?`,
    )
    .raw();
  return {
    *visit(testId, visit) {
      let start = Number.MIN_SAFE_INTEGER;
      for (let end: number | undefined = start; end !== undefined; ) {
        yield;
        end = selectEnd.get(start);
        for (const row of selectRows.all(start, end ?? Number.MAX_SAFE_INTEGER, testId)) {
          visit(assignedUserOf(row));
        }
        start = end ?? start;
      }
    },
  };
}
