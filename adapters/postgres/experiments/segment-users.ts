import { isDeclared } from "../../../domain/experiments/experiment.ts";
import { segmentValueOf } from "../../../domain/experiments/results/segments.ts";
import { showPeopleOnce } from "../../../domain/experiments/shared-people.ts";
import type { ExperimentStore, MetricStore } from "../../../domain/storage.ts";
import type { Database } from "../database.ts";
import { exactSumOf } from "./decimals.ts";
import { epochOf } from "./expressions.ts";
import { readPeopleAmong } from "./person-assignments.ts";

// The totals of a page's users come with them: one statement is of one moment.
const SELECT = `
  with page as (
    select user_id, test_id, variant_id, coalesce(period, 0) as period, ${epochOf("assigned_at")} as assigned_at, attributes
    from ab_assignments left join ab_attributes using (user_id, test_id)
    where test_id = $1 and user_id > $2 order by user_id limit $3)
  select user_id, variant_id, period, assigned_at, attributes,
    coalesce((
      select json_agg(json_build_object(
        'metric_name', metric_name, 'declared', declared, 'count', count, 'total', total::text,
        'denominator_count', denominator_count, 'denominator_total', denominator_total::text,
        'covariate', covariate::float8))
      from ab_observations o where o.user_id = page.user_id and o.test_id = page.test_id), '[]') as totals
  from page order by user_id`;

interface TotalRow {
  readonly metric_name: string;
  readonly declared: boolean;
  readonly count: number;
  readonly total: string;
  readonly denominator_count: number;
  readonly denominator_total: string;
  readonly covariate: number;
}

interface UserRow {
  readonly user_id: string;
  readonly variant_id: number;
  readonly period: number;
  readonly assigned_at: number;
  readonly attributes: string | null;
  readonly totals: readonly TotalRow[];
}

/** Reads users with an attribute that was sent with their assignment, page by page in the order of their ids. */
export const createSegmentReader =
  ({ query }: Database, findExperiment: ExperimentStore["findExperiment"]): MetricStore["segmentUsers"] =>
  async (testId, property, { after, limit }) => {
    const experiment = await findExperiment(testId);
    if (experiment === undefined) return { users: [], next: null };
    const rows = await query<UserRow>(SELECT, [testId, after ?? "", limit]);
    const users = rows.map(({ attributes, totals, ...user }) => {
      const own = totals
        .filter(({ metric_name, declared }) => isDeclared(experiment, metric_name) === declared)
        .map(totalOf);
      return { ...user, value: segmentValueOf(attributes, property), totals: own };
    });
    const ids = users.map(({ user_id }) => user_id);
    const people = await readPeopleAmong(query, testId, ids);
    return {
      users: showPeopleOnce(experiment, users, people),
      next: rows.length < limit ? null : (rows.at(-1)?.user_id ?? null),
    };
  };

const totalOf = (row: TotalRow) => ({
  metric_name: row.metric_name,
  total: {
    own: { count: row.count, total: exactSumOf(row.total) },
    denominator: { count: row.denominator_count, total: exactSumOf(row.denominator_total) },
    covariate: row.covariate,
  },
});
