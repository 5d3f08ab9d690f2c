import type { Database } from "better-sqlite3";
import type { PersonAssignment } from "../../../domain/experiments/shared-people.ts";
import { fromSql } from "../instants.ts";
import { type TotalRow, userTotalOf } from "./cell-rows.ts";

interface SharedRow {
  readonly person_id: string;
  readonly user_id: string;
  readonly variant_id: number;
  readonly period: number;
  readonly assigned_at: string;
}

type TotalOfUser = TotalRow & { readonly metric_name: string };

/** Reads the assignments of people with several of them in an experiment: of all, or of those that these ids belong to. */
export type PersonReader = (testId: number, userIds?: readonly string[]) => readonly PersonAssignment[];

// An assignment without a period is in no cell yet.
const sharedOf = (condition: string): string => `
  select person_id, user_id, variant_id, period, assigned_at
  from (
    select person_id, a.*, count(*) over (partition by person_id) as ids
    from user_links cross join ab_assignments a using (user_id)
    where a.test_id = ? and a.period is not null ${condition})
  where ids > 1`;

export function createPersonReader(db: Database): PersonReader {
  const selectAll = db.prepare<[number], SharedRow>(sharedOf(""));
  const selectSome = db.prepare<[number, string], SharedRow>(
    sharedOf(`and person_id in (
      select person_id from user_links where user_id in (select value from json_each(?)))`),
  );
  const selectTotals = db.prepare<[number, string], TotalOfUser>(
    "select * from ab_observations where test_id = ? and user_id = ?",
  );
  return (testId, userIds) =>
    (userIds === undefined ? selectAll.all(testId) : selectSome.all(testId, JSON.stringify(userIds))).map(
      (row) => ({
        ...row,
        assigned_at: fromSql(row.assigned_at),
        totals: selectTotals.all(testId, row.user_id).map((total) => ({
          metric_name: total.metric_name,
          declared: total.declared === 1,
          day: total.day,
          total: userTotalOf(total),
        })),
      }),
    );
}
