import { isDeclared } from "../../../domain/experiments/experiment.ts";
import { observePeopleOnce } from "../../../domain/experiments/shared-people.ts";
import type { ExperimentStore, MetricStore, UserObservation } from "../../../domain/storage.ts";
import type { Database } from "../database.ts";
import { exactSumOf } from "./decimals.ts";
import { readPeopleAmong } from "./person-assignments.ts";

const SELECT = `
  select user_id, count, total::text as total, denominator_count, denominator_total::text as denominator_total
  from ab_observations
  where test_id = $1 and metric_name = $2 and declared = $3 and user_id > $4 and count > 0
  order by user_id limit $5`;

interface ObservationRow {
  readonly user_id: string;
  readonly count: number;
  readonly total: string;
  readonly denominator_count: number;
  readonly denominator_total: string;
}

/** Reads the users' own totals, page by page in the order of their ids. */
export const createObservationReader =
  ({ query }: Database, findExperiment: ExperimentStore["findExperiment"]): MetricStore["userObservations"] =>
  async (testId, metricName, { after, limit }) => {
    const experiment = await findExperiment(testId);
    if (experiment === undefined) return [];
    const declared = isDeclared(experiment, metricName);
    const found: UserObservation[] = [];
    for (let from = after ?? ""; ; ) {
      const wanted = limit - found.length;
      const rows = await query<ObservationRow>(SELECT, [testId, metricName, declared, from, wanted]);
      const ids = rows.map(({ user_id }) => user_id);
      const people = await readPeopleAmong(query, testId, ids);
      found.push(...observePeopleOnce(experiment, metricName, rows.map(observationOf), people));
      if (rows.length < wanted || found.length === limit) return found;
      from = ids.at(-1) ?? from;
    }
  };

const observationOf = (row: ObservationRow): UserObservation => ({
  user_id: row.user_id,
  own: { count: row.count, total: exactSumOf(row.total) },
  denominator: { count: row.denominator_count, total: exactSumOf(row.denominator_total) },
});
