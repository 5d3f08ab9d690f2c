import {
  experimentOf,
  readDetails,
  type StoredExperiment,
  writeDetails,
} from "../../../domain/experiments/details.ts";
import { type GroupInput, type GroupRange, takeRange } from "../../../domain/experiments/exclusion.ts";
import {
  type Experiment,
  ExperimentStatus,
  type NewExperiment,
} from "../../../domain/experiments/experiment.ts";
import { type Forced, isOpen } from "../../../domain/experiments/lifecycle.ts";
import { addedMetrics } from "../../../domain/experiments/user-total.ts";
import type { ChangedExperiment, ExperimentPage, ExperimentStore } from "../../../domain/storage.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Query } from "../client.ts";
import type { Database } from "../database.ts";
import { type Deletions, isKept } from "./deletions.ts";
import { epochOf, timeOf } from "./expressions.ts";

const OPEN = ExperimentStatus.options.filter(isOpen);

// The left join is for a test that another program has inserted into the specified tables.
const SELECT = `
  select t.id, t.test_name, t.description, ${epochOf("t.created_at")} as created_at,
    coalesce(s.salt, 'test-' || t.id) as salt, coalesce(s.status, 'running') as status,
    coalesce(s.traffic, 1) as traffic, coalesce(s.confidence_level, 0.95) as confidence_level,
    s.planned_users, s.stopped_at, s.control_variant_id, s.winner_variant_id,
    coalesce(s.window_days, 0) as window_days, s.stop_at, s.planned_users_reached_at, s.details, coalesce(s.metrics, '[]') as metrics,
    coalesce((
      select json_agg(json_build_object('id', v.id, 'variant_name', v.variant_name, 'description', v.description,
        'weight', v.weight) order by v.id)
      from ab_variants v where v.test_id = t.id), '[]') as variants
  from ab_tests t left join ab_settings s on s.test_id = t.id
  where ${isKept("t.id")}`;

const PAGE = `
  ${SELECT}
    and ($1::bigint is null or t.id < $1) and ($2::text[] is null or coalesce(s.status, 'running') = any($2))
  order by t.id desc limit $3`;

const INSERT_TEST = `
  insert into ab_tests(test_name, description, created_at) values ($1, $2, ${timeOf("$3::bigint")})
  on conflict (test_name) do nothing returning id`;

// Taken one by one in the order of their turns, the ids are in the order the variants were declared in.
const INSERT_VARIANTS = `
  insert into ab_variants(test_id, variant_name, description, weight, created_at)
  select $1::bigint, variant_name, description, weight, ${timeOf("$5::bigint")}
  from unnest($2::text[], $3::text[], $4::float8[]) with ordinality as v(variant_name, description, weight, turn)
  order by turn
  returning id, variant_name`;

// Not planned_users_reached_at, which an assignment may set meanwhile.
const UPSERT_SETTINGS = `
  insert into ab_settings(test_id, salt, status, traffic, confidence_level, planned_users, stopped_at,
    control_variant_id, winner_variant_id, metrics, window_days, stop_at, planned_users_reached_at, details)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
  on conflict (test_id) do update set status = excluded.status, traffic = excluded.traffic,
    confidence_level = excluded.confidence_level, planned_users = excluded.planned_users,
    stopped_at = excluded.stopped_at, control_variant_id = excluded.control_variant_id,
    winner_variant_id = excluded.winner_variant_id, metrics = excluded.metrics, window_days = excluded.window_days,
    stop_at = excluded.stop_at, details = excluded.details`;

const BEGIN_PERIOD = `
  insert into ab_periods(test_id, period, variant_id, started_at, weight)
  select $1::bigint, (select coalesce(max(period) + 1, 0) from ab_periods where test_id = $1), v.id, $4::bigint, v.weight
  from unnest($2::bigint[], $3::float8[]) as v(id, weight)`;

// Another program may have inserted the experiment into the specified tables.
const BEGIN_FIRST_PERIOD = `
  ${BEGIN_PERIOD} where not exists (select 1 from ab_periods where test_id = $1)`;

// The revision is that of this change, which holds the lock of its row: what is stored from it on is counted then.
const ADD_BACKLOG = `
  insert into ab_tally_backlog(source, test_id, metric_name, before_revision, after_transaction, pending)
  select $1, $2, $3, revision, pg_current_xact_id(), 1 from ab_revision`;

const SET_WEIGHTS = `
  update ab_variants set weight = v.weight from unnest($1::bigint[], $2::float8[]) as v(id, weight)
  where ab_variants.id = v.id`;

const FORCE = `
  insert into ab_forced(test_id, user_id, variant_id, forced_at) values ($1, $2, $3, $4)
  on conflict (test_id, user_id) do update set variant_id = excluded.variant_id, forced_at = excluded.forced_at`;

async function insertVariants(query: Query, id: number, { variants, created_at }: NewExperiment) {
  const rows = await query<{ id: number; variant_name: string }>(INSERT_VARIANTS, [
    id,
    variants.map(({ variant_name }) => variant_name),
    variants.map(({ description }) => description),
    variants.map(({ weight }) => weight),
    created_at,
  ]);
  const control = variants.find(({ is_control }) => is_control)?.variant_name;
  return rows.find(({ variant_name }) => variant_name === control)?.id ?? null;
}

async function writeSettings(query: Query, id: number, control: number | null, experiment: NewExperiment) {
  await query(UPSERT_SETTINGS, [
    id,
    experiment.salt,
    experiment.status,
    experiment.traffic,
    experiment.confidence_level,
    experiment.planned_users,
    experiment.stopped_at,
    control,
    experiment.winner_variant_id,
    JSON.stringify(experiment.metrics),
    experiment.window_days,
    experiment.stop_at,
    experiment.planned_users_reached_at,
    writeDetails(experiment),
  ]);
  await revise(query);
}

/** Tells every process that its cache of experiments is out of date. */
const revise = (query: Query) => query("update ab_revision set revision = revision + 1");

const weightColumns = ({ id, variants }: Experiment): unknown[] => [
  id,
  variants.map((variant) => variant.id),
  variants.map(({ weight }) => weight),
];

async function findOne(query: Query, id: number): Promise<Experiment | undefined> {
  const [row] = await query<StoredExperiment>(`${SELECT} and t.id = $1`, [id]);
  return row && experimentOf(row);
}

async function rangeIn(query: Query, group: GroupInput): Promise<GroupRange> {
  // Its lock on the one row makes those wait that create another experiment of the group.
  await revise(query);
  const open = await query<{ details: string | null }>(
    "select details from ab_settings where status = any($1::text[])",
    [OPEN],
  );
  const ranges = open.map(({ details }) => readDetails(details).exclusion_group);
  return takeRange(
    group,
    ranges.flatMap((range) => (range?.name === group.name ? [range] : [])),
  );
}

async function create(
  query: Query,
  wanted: NewExperiment,
  group: GroupInput | null,
): Promise<Experiment | undefined> {
  const experiment = group === null ? wanted : { ...wanted, exclusion_group: await rangeIn(query, group) };
  const { test_name, description, created_at } = experiment;
  const [row] = await query<{ id: number }>(INSERT_TEST, [test_name, description, created_at]);
  if (row === undefined) return undefined;
  await writeSettings(query, row.id, await insertVariants(query, row.id, experiment), experiment);
  const created = await findOne(query, row.id);
  if (created !== undefined) {
    await query(BEGIN_PERIOD, [...weightColumns(created), created_at]);
  }
  return created;
}

async function writeForced(query: Query, id: number, forced: readonly Forced[], at: Instant): Promise<void> {
  for (const { user_id, variant_id } of forced) {
    if (variant_id === null)
      await query("delete from ab_forced where test_id = $1 and user_id = $2", [id, user_id]);
    else await query(FORCE, [id, user_id, variant_id, at]);
  }
}

async function update(
  query: Query,
  id: number,
  change: (stored: Experiment) => ChangedExperiment,
): Promise<Experiment | undefined> {
  // This lock does not block assignments and values, whose foreign keys lock the row too.
  await query("select id from ab_tests where id = $1 for no key update", [id]);
  const stored = await findOne(query, id);
  if (stored === undefined) return undefined;
  const { experiment, forced, at } = change(stored);
  const { variants } = experiment;
  await query("update ab_tests set description = $1 where id = $2", [experiment.description, id]);
  await writeSettings(
    query,
    id,
    stored.variants.find(({ is_control }) => is_control)?.id ?? null,
    experiment,
  );
  await writeForced(query, id, forced, at);
  for (const { metric_name, sources } of addedMetrics(stored.metrics, experiment.metrics))
    for (const source of sources) await query(ADD_BACKLOG, [source, id, metric_name]);
  if (variants.some(({ weight }, index) => weight !== stored.variants[index]?.weight)) {
    await query(SET_WEIGHTS, [variants.map((variant) => variant.id), variants.map(({ weight }) => weight)]);
    await query(BEGIN_FIRST_PERIOD, [...weightColumns(stored), stored.created_at]);
    await query(BEGIN_PERIOD, [...weightColumns(experiment), at]);
  }
  return experiment;
}

export function createExperimentStore(
  database: Database,
  deletions: Deletions,
  /** Called when there may be stored rows to tally. */
  onBacklog: () => void,
): ExperimentStore {
  // Not cached, because another process may have changed it; requests that arrive together share one statement.
  const finding = database.grouped(async (ids: readonly number[]) => {
    const rows = await database.query<StoredExperiment>(`${SELECT} and t.id = any($1::bigint[])`, [
      [...new Set(ids)],
    ]);
    const found = new Map(rows.map((row) => [row.id, experimentOf(row)]));
    return ids.map((id) => found.get(id));
  });

  return {
    createExperiment: (experiment, group = null) =>
      database.transaction((query) => create(query, experiment, group)),
    findExperiment: async (id) => (await finding([id]))[0],
    findExperimentByName: async (name) => {
      const [row] = await database.query<StoredExperiment>(`${SELECT} and t.test_name = $1`, [name]);
      return row && experimentOf(row);
    },
    listExperiments: async ({ limit, status, before }: ExperimentPage) =>
      (
        await database.query<StoredExperiment>(PAGE, [
          before ?? null,
          status === undefined ? null : [status].flat(),
          limit,
        ])
      ).map(experimentOf),
    updateExperiment: async (id, change) => {
      const changed = await database.transaction((query) => update(query, id, change));
      onBacklog();
      return changed;
    },
    deleteExperiment: deletions.deleteExperiment,
  };
}
