import type { AssignedUser, AssignmentSource } from "../../rollups/store.ts";
import { waitFor } from "../../rollups/work.ts";
import type { Query } from "../client.ts";
import { epochOf } from "./expressions.ts";

// Some milliseconds' worth of work, after which the process does something else.
const ROWS_AT_ONCE = 5_000;

const DECLARE = `
  declare members no scroll cursor for
  select a.user_id, l.person_id, u.number, variant_id, ${epochOf("assigned_at")} as assigned_at
  from ab_assignments a
    left join user_links l on l.user_id = a.user_id
    left join event_users u on u.user_id = a.user_id
  where test_id = $1 and isfinite(assigned_at)`;

/** Reads assignments for reports, within the transaction of the query. */
export const createAssignmentSource = (query: Query): AssignmentSource => ({
  *visit(testId, visit) {
    yield* waitFor(query(DECLARE, [testId], { once: true }));
    for (;;) {
      const rows = yield* waitFor(query<AssignedUser>(`fetch ${ROWS_AT_ONCE} from members`));
      for (const row of rows) visit(row);
      if (rows.length < ROWS_AT_ONCE) break;
    }
    yield* waitFor(query("close members"));
  },
});
