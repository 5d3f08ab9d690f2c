import type { Database } from "better-sqlite3";
import { experimentOf, type StoredExperiment } from "../../../domain/experiments/details.ts";
import type { Experiment } from "../../../domain/experiments/experiment.ts";
import type { ExperimentPage } from "../../../domain/storage.ts";
import { fromSql } from "../instants.ts";

export type ExperimentRow = Omit<StoredExperiment, "created_at" | "variants"> & {
  readonly created_at: string;
};

type StoredVariant = StoredExperiment["variants"][number];

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
  const selectVariants = db.prepare<[string], StoredVariant & { readonly test_id: number }>(
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

  function variantsOf(ids: string): ReadonlyMap<number, StoredVariant[]> {
    const variants = new Map<number, StoredVariant[]>();
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
      return selectExperiments
        .all(list)
        .map(({ created_at, ...row }) =>
          experimentOf({ ...row, created_at: fromSql(created_at), variants: variants.get(row.id) ?? [] }),
        );
    },
    ids: ({ limit, status, before = null }) =>
      selectIds.all({
        before,
        statuses: status === undefined ? null : JSON.stringify([status].flat()),
        limit,
      }),
  };
}
