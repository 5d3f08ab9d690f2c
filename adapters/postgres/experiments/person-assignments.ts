import type { PersonAssignment } from "../../../domain/experiments/shared-people.ts";
import type { Query } from "../client.ts";
import { exactSumOf } from "./decimals.ts";
import { epochOf } from "./expressions.ts";

// People with several assignments in an experiment, as JSON within a statement that reads other rows of the same moment.

interface TotalRow {
  readonly metric_name: string;
  readonly declared: boolean;
  readonly day: number;
  readonly count: number;
  readonly total: string;
  readonly denominator_count: number;
  readonly denominator_total: string;
  readonly covariate: number;
}

export interface SharedRow extends Omit<PersonAssignment, "totals"> {
  readonly totals: readonly TotalRow[];
}

/** An SQL expression: the totals of a user on each metric, as JSON. Sums are sent as text, which keeps all digits. */
const totalsOf = (row: string): string => `
  coalesce((
    select json_agg(json_build_object('metric_name', metric_name, 'declared', declared, 'day', day, 'count', count,
      'total', total::text, 'denominator_count', denominator_count, 'denominator_total', denominator_total::text,
      'covariate', covariate::float8) order by metric_name)
    from ab_observations o where o.user_id = ${row}.user_id and o.test_id = ${row}.test_id), '[]')`;

/** An SQL expression: the rows of people with several assignments. One without a period is in no cell yet. */
export const sharedPeople = (testId: string, condition = ""): string => `
  coalesce((
    select json_agg(json_build_object('person_id', person_id, 'user_id', user_id, 'variant_id', variant_id,
      'period', period, 'assigned_at', ${epochOf("assigned_at")}, 'totals', ${totalsOf("s")}) order by user_id)
    from (
      select l.person_id, a.*, count(*) over (partition by l.person_id) as ids
      from user_links l join ab_assignments a using (user_id)
      where a.test_id = ${testId} and a.period is not null ${condition}) s
    where ids > 1), '[]')`;

const AMONG = `
  select ${sharedPeople(
    "$1",
    "and l.person_id in (select person_id from user_links where user_id = any($2::text[]))",
  )} as people`;

/** Reads the assignments of people with several of them, of those that these ids belong to. */
export async function readPeopleAmong(
  query: Query,
  testId: number,
  userIds: readonly string[],
): Promise<PersonAssignment[]> {
  if (userIds.length === 0) return [];
  const [row] = await query<{ people: readonly SharedRow[] }>(AMONG, [testId, userIds]);
  return assignmentsOfPersons(row?.people ?? []);
}

export const assignmentsOfPersons = (rows: readonly SharedRow[]): PersonAssignment[] =>
  rows.map(({ totals, ...row }) => ({
    ...row,
    totals: totals.map(({ metric_name, declared, day, ...total }) => ({
      metric_name,
      declared,
      day,
      total: {
        own: { count: total.count, total: exactSumOf(total.total) },
        denominator: { count: total.denominator_count, total: exactSumOf(total.denominator_total) },
        covariate: total.covariate,
      },
    })),
  }));
