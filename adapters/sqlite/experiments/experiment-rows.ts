import type { Database } from "better-sqlite3";
import { readDetails, valueOfVariant } from "../../../domain/experiments/details.ts";
import type { Experiment, ExperimentStatus } from "../../../domain/experiments/experiment.ts";
import { readMetrics } from "../../../domain/experiments/metric-declaration.ts";
import type { ExperimentPage } from "../../../domain/storage.ts";
import { fromSql } from "../instants.ts";

export interface ExperimentRow {
  id: number;
  test_name: string;
  description: string | null;
  created_at: string;
  salt: string;
  status: ExperimentStatus;
  traffic: number;
  confidence_level: number;
  planned_users: number | null;
  stopped_at: number | null;
  control_variant_id: number | null;
  winner_variant_id: number | null;
  window_days: number;
  stop_at: number | null;
  planned_users_reached_at: number | null;
  details: string | null;
  metrics: string;
}

interface VariantRow {
  test_id: number;
  id: number;
  variant_name: string;
  description: string | null;
  weight: number;
}

// The left join is for a test that another program has inserted into the specified tables since the upgrade.
const SELECT = `
  select t.id, t.test_name, t.description, t.created_at,
    coalesce(s.salt, 'test-' || t.id) as salt, coalesce(s.status, 'running') as status,
    coalesce(s.traffic, 1) as traffic, coalesce(s.confidence_level, 0.95) as confidence_level,
    s.planned_users, s.stopped_at, s.control_variant_id, s.winner_variant_id,
    coalesce(s.window_days, 0) as window_days, s.stop_at, s.planned_users_reached_at, s.details, coalesce(s.metrics, '[]') as metrics
  from ab_tests t left join ab_settings s on s.test_id = t.id
  where t.id in (select value from json_each(?))`;

/** Reads experiments from the file. */
export interface ExperimentRows {
  /** The experiments with these ids, in any order; an id without one is left out. */
  read(ids: readonly number[]): Experiment[];
  /** The ids of a page, newest first. */
  ids(page: ExperimentPage): number[];
}

export function createExperimentRows(db: Database): ExperimentRows {
  const selectExperiments = db.prepare<[string], ExperimentRow>(SELECT);
  const selectVariants = db.prepare<[string], VariantRow>(
    `select test_id, id, variant_name, description, weight from ab_variants
     where test_id in (select value from json_each(?)) order by id`,
  );
  const selectIds = db
    .prepare<{ before: number | null; statuses: string | null; limit: number }, number>(
      `select t.id from ab_tests t left join ab_settings s on s.test_id = t.id
       where t.id < coalesce(@before, 9223372036854775807)
         and (@statuses is null or coalesce(s.status, 'running') in (select value from json_each(@statuses)))
       order by t.id desc limit @limit`,
    )
    .pluck();

  function variantsOf(ids: string): ReadonlyMap<number, Omit<VariantRow, "test_id">[]> {
    const variants = new Map<number, Omit<VariantRow, "test_id">[]>();
    for (const { test_id, ...variant } of selectVariants.all(ids)) {
      const known = variants.get(test_id);
      if (known === undefined) variants.set(test_id, [variant]);
      else known.push(variant);
    }
    return variants;
  }

  return {
    read(ids) {
      const list = JSON.stringify(ids);
      const variants = variantsOf(list);
      return selectExperiments.all(list).map((row) => experimentOf(row, variants.get(row.id) ?? []));
    },
    ids: ({ limit, status, before = null }) =>
      selectIds.all({
        before,
        statuses: status === undefined ? null : JSON.stringify([status].flat()),
        limit,
      }),
  };
}

function experimentOf(
  { control_variant_id, details: json, ...row }: ExperimentRow,
  variants: readonly Omit<VariantRow, "test_id">[],
): Experiment {
  const control = control_variant_id ?? variants[0]?.id;
  const details = readDetails(json);
  const { values: _, ...story } = details;
  return {
    ...row,
    ...story,
    created_at: fromSql(row.created_at),
    metrics: readMetrics(row.metrics),
    variants: variants.map((variant) => ({
      ...variant,
      is_control: variant.id === control,
      value: valueOfVariant(details, variant.variant_name),
    })),
  };
}
