import { isDeclared } from "../../../domain/experiments/experiment.ts";
import type { ExperimentStore, MetricStore } from "../../../domain/storage.ts";
import type { Database } from "../database.ts";
import { exactSumOf } from "./decimals.ts";

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
    const rows = await query<ObservationRow>(SELECT, [testId, metricName, declared, after ?? "", limit]);
    return rows.map((row) => ({
      user_id: row.user_id,
      own: { count: row.count, total: exactSumOf(row.total) },
      denominator: { count: row.denominator_count, total: exactSumOf(row.denominator_total) },
    }));
  };
