import { type MetricDefinition, readMetrics } from "../../../domain/experiments/metric-declaration.ts";
import { covariateQuestion, covariatesIn } from "../../../domain/experiments/user-total.ts";
import type { EventQuestions } from "../../../domain/storage.ts";
import type { Query } from "../client.ts";
import { ALL_DAYS, anySlice, dayOf, epochOf, periodAt } from "./expressions.ts";
import { observation } from "./value-statements.ts";

/** A metric that was added to an experiment, and which of its users come next. */
interface Added {
  readonly test_id: number | null;
  readonly metric_name: string | null;
  readonly next_user: string;
}

/** The covariates of some users, found outside of the transaction that sets them. */
export interface FoundCovariates {
  readonly metric: MetricDefinition | undefined;
  readonly users: readonly { readonly user_id: string; readonly x: number }[];
  /** The users that were looked at. */
  readonly rows: number;
  readonly last: string;
  readonly done: boolean;
}

const USERS_A_STEP = 500;

const USERS = `
  select a.user_id, ${epochOf("a.assigned_at")} as assigned_at, t.attributes
  from ab_assignments a left join ab_attributes t on t.user_id = a.user_id and t.test_id = a.test_id
  where a.test_id = $1 and a.user_id > $2 order by a.user_id limit ${USERS_A_STEP}`;

const METRICS = "select metrics from ab_settings where test_id = $1";

interface UserRow {
  readonly user_id: string;
  readonly assigned_at: number;
  readonly attributes: string | null;
}

/** Finds the covariates of the next users who were assigned before their metric was declared. */
export async function findCovariates(
  query: Query,
  { test_id, metric_name, next_user }: Added,
  { userFacts }: Pick<EventQuestions, "userFacts">,
): Promise<FoundCovariates> {
  const [settings] = await query<{ metrics: string }>(METRICS, [test_id]);
  const metric = readMetrics(settings?.metrics ?? "[]").find((one) => one.metric_name === metric_name);
  const rows = await query<UserRow>(USERS, [test_id, next_user]);
  const page = {
    metric,
    rows: rows.length,
    last: rows.at(-1)?.user_id ?? next_user,
    done: rows.length < USERS_A_STEP,
  };
  const covariate = metric?.covariate;
  if (metric === undefined || covariate === undefined) return { ...page, users: [] };
  const facts = "attribute" in covariate ? [] : await userFacts(covariateQuestion(covariate, rows));
  const users = rows.flatMap(({ user_id, attributes }, index) => {
    const x = facts[index];
    const covariates = typeof x === "number" ? [{ metric_name: metric.metric_name, x }] : [];
    const known = attributes === null ? {} : JSON.parse(attributes);
    return covariatesIn([metric], { attributes: known, covariates }).map((one) => ({ user_id, x: one.x }));
  });
  return { ...page, users };
}

// A user may have values already. A covariate that is set stays as it is, and what a metric had before it was declared is
// not continued, as in value-statements.ts.
const SET = `
  with member as (
    select g.user_id, g.x, a.variant_id, ${dayOf(epochOf("a.assigned_at"))} as day,
      coalesce(a.period, ${periodAt("a.test_id", epochOf("a.assigned_at"))}) as period
    from unnest($3::text[], $4::numeric[]) as g(user_id, x)
    join ab_assignments a on a.user_id = g.user_id and a.test_id = $1::bigint
  ),
  observed as (
    insert into ab_observations as o (test_id, user_id, metric_name, declared, day, count, total, denominator_count,
      denominator_total, covariate)
    select $1::bigint, user_id, $2::text, true, day, 0, 0, 0, 0, x from member order by user_id
    on conflict (user_id, test_id, metric_name) do update set
      declared = true,
      covariate = excluded.covariate,
      day = case when o.declared then o.day else excluded.day end,
      count = case when o.declared then o.count else 0 end,
      total = case when o.declared then o.total else 0 end,
      denominator_count = case when o.declared then o.denominator_count else 0 end,
      denominator_total = case when o.declared then o.denominator_total else 0 end
    where not o.declared or o.covariate = 0
    returning user_id, day, count, total
  ),
  moved as (
    select m.variant_id, m.period, m.x, m.day as assigned_day, o.day as last_day,
      ${observation("$6::text", "$7::numeric", "o.count", "o.total")} as y
    from observed o join member m using (user_id)
  ),
  changed as (
    select variant_id, period, each.day, x, x * x as xx, 0 as xy
    from moved cross join lateral (values (assigned_day), (${ALL_DAYS})) as each(day)
    union all
    select variant_id, period, each.day, 0, 0, x * y
    from moved cross join lateral (values (last_day), (${ALL_DAYS})) as each(day)
  )
  insert into ab_cell_sums as s (test_id, day, variant_id, period, metric_name, declared, slice, users_with_value,
    users_not_zero, count, y, yy, x, xx, xy, d, dd, yd)
  select $1::bigint, day, variant_id, period, $2::text, true, $5::integer, 0, 0, 0, 0, 0, sum(x), sum(xx), sum(xy), 0, 0, 0
  from changed group by day, variant_id, period order by day, variant_id, period
  on conflict (test_id, day, variant_id, period, metric_name, declared, slice) do update set
    x = s.x + excluded.x, xx = s.xx + excluded.xx, xy = s.xy + excluded.xy`;

/** Sets the covariates that were found, within a transaction. */
export async function setCovariates(
  query: Query,
  { test_id }: Added,
  { metric, users }: FoundCovariates,
): Promise<void> {
  if (metric === undefined || users.length === 0) return;
  await query(SET, [
    test_id,
    metric.metric_name,
    users.map(({ user_id }) => user_id),
    users.map(({ x }) => x),
    anySlice(),
    metric.kind,
    metric.cap ?? null,
  ]);
}
