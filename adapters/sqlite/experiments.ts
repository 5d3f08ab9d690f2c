import type { Database } from "better-sqlite3";
import type {
  Experiment,
  ExperimentStatus,
  MetricDefinition,
  NewExperiment,
} from "../../domain/experiment.ts";
import type { ExperimentStore } from "../../domain/storage.ts";
import { isUniqueViolation, reading } from "./failures.ts";
import { fromSql, toSql } from "./instants.ts";
import type { Writer } from "./writer.ts";

interface ExperimentRow {
  id: number;
  test_name: string;
  description: string | null;
  created_at: string;
  salt: string;
  status: ExperimentStatus;
  traffic: number;
  confidence_level: number;
  planned_users: number | null;
  control_variant_id: number | null;
  metrics: string;
}

interface VariantRow {
  id: number;
  variant_name: string;
  description: string | null;
  weight: number;
}

// The left join serves a test that somebody's own program has inserted into the specified tables since the upgrade.
const SELECT = `
  select t.id, t.test_name, t.description, t.created_at,
    coalesce(s.salt, 'test-' || t.id) as salt, coalesce(s.status, 'running') as status,
    coalesce(s.traffic, 1) as traffic, coalesce(s.confidence_level, 0.95) as confidence_level,
    s.planned_users, s.control_variant_id, coalesce(s.metrics, '[]') as metrics
  from ab_tests t left join ab_settings s on s.test_id = t.id`;

export function createExperimentStore(db: Database, writer: Writer): ExperimentStore {
  const insertTest = db.prepare<[string, string | null, string]>(
    "insert into ab_tests(test_name, description, created_at) values (?, ?, ?)",
  );
  const insertVariant = db.prepare<[number, string, string | null, number, string]>(
    "insert into ab_variants(test_id, variant_name, description, weight, created_at) values (?, ?, ?, ?, ?)",
  );
  const insertSettings = db.prepare<
    [number, string, string, number, number, number | null, number | null, string]
  >(
    `insert into ab_settings(test_id, salt, status, traffic, confidence_level, planned_users, control_variant_id,
       metrics)
     values (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const selectOne = db.prepare<[number], ExperimentRow>(`${SELECT} where t.id = ?`);
  const selectPage = db.prepare<[number | null, string | null, number], ExperimentRow>(
    `${SELECT}
     where t.id < coalesce(?, 9223372036854775807) and coalesce(s.status, 'running') = coalesce(?, s.status, 'running')
     order by t.id desc limit ?`,
  );
  const selectVariants = db.prepare<[number], VariantRow>(
    "select id, variant_name, description, weight from ab_variants where test_id = ? order by id",
  );

  function experimentOf(row: ExperimentRow): Experiment {
    const variants = selectVariants.all(row.id);
    const control = row.control_variant_id ?? variants[0]?.id;
    return {
      id: row.id,
      test_name: row.test_name,
      description: row.description,
      status: row.status,
      created_at: fromSql(row.created_at),
      traffic: row.traffic,
      confidence_level: row.confidence_level,
      planned_users: row.planned_users,
      metrics: JSON.parse(row.metrics) as MetricDefinition[],
      salt: row.salt,
      variants: variants.map((variant) => ({ ...variant, is_control: variant.id === control })),
    };
  }

  const find = (id: number): Experiment | undefined => {
    const row = selectOne.get(id);
    return row === undefined ? undefined : experimentOf(row);
  };

  function insertTestUnlessTaken(experiment: NewExperiment): number | undefined {
    const { test_name, description, created_at } = experiment;
    try {
      return Number(insertTest.run(test_name, description, toSql(created_at)).lastInsertRowid);
    } catch (error) {
      if (isUniqueViolation(error)) return undefined;
      throw error;
    }
  }

  function create(experiment: NewExperiment): Experiment | undefined {
    const id = insertTestUnlessTaken(experiment);
    if (id === undefined) return undefined;
    let control: number | null = null;
    for (const { variant_name, description, weight, is_control } of experiment.variants) {
      const row = insertVariant.run(id, variant_name, description, weight, toSql(experiment.created_at));
      if (is_control) control = Number(row.lastInsertRowid);
    }
    const { salt, status, traffic, confidence_level, planned_users, metrics } = experiment;
    insertSettings.run(
      id,
      salt,
      status,
      traffic,
      confidence_level,
      planned_users,
      control,
      JSON.stringify(metrics),
    );
    return find(id);
  }

  return {
    createExperiment: (experiment) => writer.write(experiment.variants.length, () => create(experiment)),
    findExperiment: (id) => reading(() => find(id)),
    listExperiments: ({ limit, status, before }) =>
      reading(() => selectPage.all(before ?? null, status ?? null, limit).map(experimentOf)),
  };
}
