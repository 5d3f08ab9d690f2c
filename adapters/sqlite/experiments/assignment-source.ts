import type { Database } from "better-sqlite3";
import type { MemberAssignment } from "../../../domain/reports/members-tally.ts";
import type { AssignmentSource } from "../../rollups/store.ts";
import { fromSql } from "../instants.ts";

type Row = Omit<MemberAssignment, "assigned_at"> & { readonly assigned_at: string | number | Uint8Array };

// A statement cannot be interrupted, so each reads some milliseconds' worth of rows, of whichever experiments.
const ROWS_AT_ONCE = 10_000;

/** Reads assignments for reports, in the order in which they were stored. */
export function createAssignmentSource(db: Database): AssignmentSource {
  const selectEnd = db
    .prepare<[number], number>(
      `select id from ab_assignments where id > ? order by id limit 1 offset ${ROWS_AT_ONCE - 1}`,
    )
    .pluck();
  const selectRows = db.prepare<[number, number, number], Row>(
    `select user_id, variant_id, assigned_at,
       coalesce((select person_id from user_links l where l.user_id = a.user_id), user_id) as person_id
     from ab_assignments a where id > ? and id <= ? and test_id = ?`,
  );
  return {
    *visit(testId, visit) {
      let start = Number.MIN_SAFE_INTEGER;
      for (let end: number | undefined = start; end !== undefined; ) {
        yield;
        end = selectEnd.get(start);
        for (const row of selectRows.all(start, end ?? Number.MAX_SAFE_INTEGER, testId)) {
          visit({ ...row, assigned_at: fromSql(row.assigned_at) });
        }
        start = end ?? start;
      }
    },
  };
}
