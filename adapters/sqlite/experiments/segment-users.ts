import type { Database } from "better-sqlite3";
import { isDeclared } from "../../../domain/experiments/experiment.ts";
import { segmentValueOf } from "../../../domain/experiments/results/segments.ts";
import { showPeopleOnce } from "../../../domain/experiments/shared-people.ts";
import type { MetricStore } from "../../../domain/storage.ts";
import { reading } from "../failures.ts";
import { fromSql } from "../instants.ts";
import { type TotalRow, userTotalOf } from "./cell-rows.ts";
import type { ExperimentShelf } from "./experiments.ts";
import { createPersonReader } from "./person-assignments.ts";

interface UserRow {
  readonly user_id: string;
  readonly variant_id: number;
  readonly period: number;
  readonly assigned_at: string;
  readonly attributes: string | null;
}

interface TotalOfUser extends TotalRow {
  readonly user_id: string;
  readonly metric_name: string;
  readonly declared: number;
}

/** Reads users with an attribute that was sent with their assignment, page by page in the order of their ids. */
export function createSegmentReader(db: Database, shelf: ExperimentShelf): MetricStore["segmentUsers"] {
  const selectUsers = db.prepare<{ test_id: number; after: string; limit: number }, UserRow>(
    `select user_id, variant_id, coalesce(period, 0) as period, assigned_at, attributes
     from ab_assignments left join ab_attributes using (test_id, user_id)
     where test_id = @test_id and user_id > @after order by user_id limit @limit`,
  );
  const selectTotals = db.prepare<{ test_id: number; after: string; last: string }, TotalOfUser>(
    "select * from ab_observations where test_id = @test_id and user_id > @after and user_id <= @last",
  );
  const sharedPeople = createPersonReader(db);

  return (test_id, property, { after, limit }) =>
    reading(() => {
      const experiment = shelf.find(test_id);
      if (experiment === undefined) return { users: [], next: null };
      const from = after ?? "";
      const users = selectUsers.all({ test_id, after: from, limit });
      const last = users.at(-1)?.user_id ?? from;
      const totals = new Map<string, TotalOfUser[]>();
      for (const row of selectTotals.all({ test_id, after: from, last })) {
        const ofUser = totals.get(row.user_id);
        if (ofUser === undefined) totals.set(row.user_id, [row]);
        else ofUser.push(row);
      }
      const found = users.map(({ attributes, assigned_at, ...user }) => {
        const value = segmentValueOf(attributes, property);
        const own = (totals.get(user.user_id) ?? [])
          .filter((row) => isDeclared(experiment, row.metric_name) === (row.declared === 1))
          .map((row) => ({ metric_name: row.metric_name, total: userTotalOf(row) }));
        return { ...user, assigned_at: fromSql(assigned_at), value, totals: own };
      });
      const people = sharedPeople(
        test_id,
        found.map(({ user_id }) => user_id),
      );
      return { users: showPeopleOnce(experiment, found, people), next: users.length < limit ? null : last };
    });
}
