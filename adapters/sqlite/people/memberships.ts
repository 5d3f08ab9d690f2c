import type { Database } from "better-sqlite3";
import { isDeclared } from "../../../domain/experiments/experiment.ts";
import { contributionsOf, dayOf, type Sums } from "../../../domain/experiments/user-total.ts";
import { givenBack, withoutCovariate } from "../../../domain/people/give-back.ts";
import {
  ALL_DAYS,
  type SumsKey,
  type TotalRow,
  userTotalOf,
  withoutRawValues,
} from "../experiments/cell-rows.ts";
import type { Cells } from "../experiments/cells.ts";
import type { ExperimentShelf } from "../experiments/experiments.ts";
import type { UserRaw } from "../experiments/user-raw-values.ts";
import { fromSql } from "../instants.ts";

/** Takes a user out of all experiments, within the transaction of the caller; answers out of how many. */
export type LeaveExperiments = (userId: string) => number;

interface AssignmentRow {
  readonly test_id: number;
  readonly variant_id: number;
  readonly assigned_at: string;
  /** Null where the cells do not count the assignment yet. */
  readonly period: number | null;
}

type ObservationRow = TotalRow & { readonly metric_name: string };

// Tables with rows of a user in an experiment, whose keys begin with both.
const OF_MEMBER = ["ab_attributes", "ab_observations", "ab_past_observations", "ab_user_raw_values"];

export function createLeaving(
  db: Database,
  shelf: Pick<ExperimentShelf, "find">,
  cells: Pick<Cells, "changeSums" | "changeUsers" | "changeRaw" | "userRaws">,
): LeaveExperiments {
  const selectAssignments = db.prepare<[string], AssignmentRow>(
    "select test_id, variant_id, assigned_at, period from ab_assignments where user_id = ?",
  );
  const selectTotals = db.prepare<[number, string], ObservationRow>(
    `select metric_name, declared, day, count, total, total_low, denominator_count, denominator_total,
       denominator_total_low, covariate from ab_observations where test_id = ? and user_id = ?`,
  );
  const selectPast = db.prepare<[number, string, string], Omit<TotalRow, "declared">>(
    "select * from ab_past_observations where test_id = ? and user_id = ? and metric_name = ?",
  );
  const deletes = OF_MEMBER.map((table) =>
    db.prepare<[number, string]>(`delete from ${table} where test_id = ? and user_id = ?`),
  );
  const deleteAssignments = db.prepare<[string]>("delete from ab_assignments where user_id = ?");
  const deleteForced = db.prepare<[string]>("delete from ab_forced where user_id = ?");

  function giveBackMetric(
    user_id: string,
    { test_id, variant_id, assigned_at }: AssignmentRow,
    period: number,
    row: ObservationRow,
  ): void {
    const experiment = shelf.find(test_id);
    if (experiment === undefined) return;
    const { metric_name, declared } = row;
    const definitions = declared === 1 && isDeclared(experiment, metric_name) ? experiment.metrics : [];
    const [own] = contributionsOf(definitions, metric_name);
    if (own === undefined) return;
    const keyOf = (day: number): SumsKey => ({ test_id, day, variant_id, period, metric_name, declared });
    const totals = [...selectPast.all(test_id, user_id, metric_name), row].map((one) => ({
      day: one.day,
      total: userTotalOf({ ...one, declared }),
    }));
    const assigned = dayOf(fromSql(assigned_at));
    const changes = [
      ...givenBack(own.metric, totals),
      { day: assigned, change: (sums: Sums) => withoutCovariate(sums, row.covariate) },
    ];
    for (const { day, change } of changes) {
      for (const on of [ALL_DAYS, day]) cells.changeSums(keyOf(on), change);
    }
  }

  /** After the user's own rows are deleted, so that the ends are those of the others. */
  function giveBackRaw(own: UserRaw): void {
    const { test_id, variant_id, metric_name } = own;
    const key = { test_id, variant_id, metric_name };
    cells.changeRaw(key, (row) => ({
      ...withoutRawValues(row, own),
      ...(row.min === own.min || row.max === own.max ? cells.userRaws.extremes(key) : {}),
    }));
  }

  function leave(user_id: string, assignment: AssignmentRow): void {
    const { test_id, variant_id, assigned_at, period } = assignment;
    const raws = cells.userRaws.ofUser(test_id, user_id);
    if (period !== null) {
      for (const day of [ALL_DAYS, dayOf(fromSql(assigned_at))])
        cells.changeUsers({ test_id, day, variant_id, period }, -1);
      for (const row of selectTotals.all(test_id, user_id)) giveBackMetric(user_id, assignment, period, row);
    }
    for (const statement of deletes) statement.run(test_id, user_id);
    for (const raw of raws) giveBackRaw(raw);
  }

  return (userId) => {
    const assignments = selectAssignments.all(userId);
    for (const assignment of assignments) leave(userId, assignment);
    deleteForced.run(userId);
    deleteAssignments.run(userId);
    return assignments.length;
  };
}
