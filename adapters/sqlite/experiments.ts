import type { Database } from "better-sqlite3";
import type {
  Experiment,
  ExperimentStatus,
  MetricDefinition,
  NewExperiment,
} from "../../domain/experiments/experiment.ts";
import type { Forced } from "../../domain/experiments/lifecycle.ts";
import type { ChangedExperiment, ExperimentStore } from "../../domain/storage.ts";
import type { Instant } from "../../domain/time.ts";
import { isUniqueViolation, reading } from "./failures.ts";
import { fromSql, toSql } from "./instants.ts";
import type { Tallies } from "./tallies.ts";
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
  stopped_at: number | null;
  control_variant_id: number | null;
  winner_variant_id: number | null;
  metrics: string;
}

interface VariantRow {
  id: number;
  variant_name: string;
  description: string | null;
  weight: number;
}

type SettingsRow = Omit<ExperimentRow, "id" | "test_name" | "description" | "created_at"> & {
  test_id: number;
};

// The left join serves a test that somebody's own program has inserted into the specified tables since the upgrade.
const SELECT = `
  select t.id, t.test_name, t.description, t.created_at,
    coalesce(s.salt, 'test-' || t.id) as salt, coalesce(s.status, 'running') as status,
    coalesce(s.traffic, 1) as traffic, coalesce(s.confidence_level, 0.95) as confidence_level,
    s.planned_users, s.stopped_at, s.control_variant_id, s.winner_variant_id, coalesce(s.metrics, '[]') as metrics
  from ab_tests t left join ab_settings s on s.test_id = t.id`;

/** Experiments read from the file once, and again when somebody has changed it. */
export interface ExperimentShelf {
  find(id: number): Experiment | undefined;
  list(limit: number, status: ExperimentStatus | undefined, before: number | undefined): Experiment[];
  /** Whatever this connection has changed: the shelf cannot see that by itself. */
  clear(): void;
  /** The running experiments' metrics that are made of events, by the type of those. */
  watches(): ReadonlyMap<string, readonly Watch[]>;
}

export interface Watch {
  readonly test_id: number;
  readonly metric: MetricDefinition;
}

export function createExperimentShelf(db: Database): ExperimentShelf {
  const selectOne = db.prepare<[number], ExperimentRow>(`${SELECT} where t.id = ?`);
  const selectPage = db.prepare<[number | null, string | null, number], ExperimentRow>(
    `${SELECT}
     where t.id < coalesce(?, 9223372036854775807) and coalesce(s.status, 'running') = coalesce(?, s.status, 'running')
     order by t.id desc limit ?`,
  );
  const selectVariants = db.prepare<[number], VariantRow>(
    "select id, variant_name, description, weight from ab_variants where test_id = ? order by id",
  );
  const selectWatches = db.prepare<[], { test_id: number; metrics: string }>(
    "select test_id, metrics from ab_settings where status = 'running' and metrics like '%\"event_type\"%'",
  );
  // Changes when another connection has committed; a fifth of the cost of reading an experiment.
  const dataVersion = db.prepare<[], number>("pragma data_version").pluck();

  const shelf = new Map<number, Experiment>();
  let watches: Map<string, Watch[]> | undefined;
  let version = dataVersion.get();

  function clear(): void {
    shelf.clear();
    watches = undefined;
  }

  function notice(): void {
    const current = dataVersion.get();
    if (current === version) return;
    version = current;
    clear();
  }

  function experimentOf({ control_variant_id, ...row }: ExperimentRow): Experiment {
    const variants = selectVariants.all(row.id);
    const control = control_variant_id ?? variants[0]?.id;
    return {
      ...row,
      created_at: fromSql(row.created_at),
      metrics: JSON.parse(row.metrics) as MetricDefinition[],
      variants: variants.map((variant) => ({ ...variant, is_control: variant.id === control })),
    };
  }

  function find(id: number): Experiment | undefined {
    notice();
    const known = shelf.get(id);
    if (known !== undefined) return known;
    const row = selectOne.get(id);
    if (row === undefined) return undefined;
    const experiment = experimentOf(row);
    shelf.set(id, experiment);
    return experiment;
  }

  function readWatches(): Map<string, Watch[]> {
    const found = new Map<string, Watch[]>();
    for (const { test_id, metrics } of selectWatches.all()) {
      for (const metric of JSON.parse(metrics) as MetricDefinition[]) {
        if (metric.event_type === undefined) continue;
        found.set(metric.event_type, [...(found.get(metric.event_type) ?? []), { test_id, metric }]);
      }
    }
    return found;
  }

  return {
    find,
    clear,
    list: (limit, status, before) => selectPage.all(before ?? null, status ?? null, limit).map(experimentOf),
    watches() {
      notice();
      watches ??= readWatches();
      return watches;
    },
  };
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the store's statements, prepared once, and the acts that share them.
export function createExperimentStore(
  db: Database,
  writer: Writer,
  shelf: ExperimentShelf,
  tallies: Tallies,
): ExperimentStore {
  const insertTest = db.prepare<[string, string | null, string]>(
    "insert into ab_tests(test_name, description, created_at) values (?, ?, ?)",
  );
  const insertVariant = db.prepare<[number, string, string | null, number, string]>(
    "insert into ab_variants(test_id, variant_name, description, weight, created_at) values (?, ?, ?, ?, ?)",
  );
  const upsertSettings = db.prepare<SettingsRow>(
    `insert or replace into ab_settings(test_id, salt, status, traffic, confidence_level, planned_users, stopped_at,
       control_variant_id, winner_variant_id, metrics)
     values (@test_id, @salt, @status, @traffic, @confidence_level, @planned_users, @stopped_at, @control_variant_id,
       @winner_variant_id, @metrics)`,
  );
  const updateDescription = db.prepare<[string | null, number]>(
    "update ab_tests set description = ? where id = ?",
  );
  const updateWeight = db.prepare<[number, number]>("update ab_variants set weight = ? where id = ?");
  const deleteTest = db.prepare<[number]>("delete from ab_tests where id = ?");
  const force = db.prepare<[number, string, number, Instant]>(
    "insert or replace into ab_forced(test_id, user_id, variant_id, forced_at) values (?, ?, ?, ?)",
  );
  const unforce = db.prepare<[number, string]>("delete from ab_forced where test_id = ? and user_id = ?");

  function insertTestUnlessTaken(experiment: NewExperiment): number | undefined {
    const { test_name, description, created_at } = experiment;
    try {
      return Number(insertTest.run(test_name, description, toSql(created_at)).lastInsertRowid);
    } catch (error) {
      if (isUniqueViolation(error)) return undefined;
      throw error;
    }
  }

  function writeSettings(test_id: number, control: number | null, experiment: NewExperiment): void {
    const { salt, status, traffic, confidence_level, planned_users, stopped_at, winner_variant_id } =
      experiment;
    upsertSettings.run({
      test_id,
      salt,
      status,
      traffic,
      confidence_level,
      planned_users,
      stopped_at,
      winner_variant_id,
      control_variant_id: control,
      metrics: JSON.stringify(experiment.metrics),
    });
  }

  function create(experiment: NewExperiment): Experiment | undefined {
    const id = insertTestUnlessTaken(experiment);
    if (id === undefined) return undefined;
    let control: number | null = null;
    for (const { variant_name, description, weight, is_control } of experiment.variants) {
      const row = insertVariant.run(id, variant_name, description, weight, toSql(experiment.created_at));
      if (is_control) control = Number(row.lastInsertRowid);
    }
    writeSettings(id, control, experiment);
    shelf.clear();
    const created = shelf.find(id);
    if (created !== undefined) tallies.beginEpoch(created, experiment.created_at);
    return created;
  }

  function writeForced(id: number, forced: readonly Forced[], at: Instant): void {
    for (const { user_id, variant_id } of forced) {
      if (variant_id === null) unforce.run(id, user_id);
      else force.run(id, user_id, variant_id, at);
    }
  }

  function update(id: number, change: (stored: Experiment) => ChangedExperiment): Experiment | undefined {
    const stored = shelf.find(id);
    if (stored === undefined) return undefined;
    const { experiment, forced, at } = change(stored);
    updateDescription.run(experiment.description, id);
    const moved = experiment.variants.filter(
      ({ weight }, index) => weight !== stored.variants[index]?.weight,
    );
    for (const variant of moved) updateWeight.run(variant.weight, variant.id);
    writeSettings(id, stored.variants.find(({ is_control }) => is_control)?.id ?? null, experiment);
    writeForced(id, forced, at);
    if (moved.length > 0) tallies.beginEpoch(experiment, at);
    shelf.clear();
    return experiment;
  }

  return {
    createExperiment: (experiment) => writer.write(experiment.variants.length, () => create(experiment)),
    findExperiment: (id) => reading(() => shelf.find(id)),
    listExperiments: ({ limit, status, before }) => reading(() => shelf.list(limit, status, before)),
    updateExperiment: (id, change) => writer.write(1, () => update(id, change)),
    deleteExperiment: (id) =>
      writer.write(1, () => {
        shelf.clear();
        return deleteTest.run(id).changes > 0;
      }),
  };
}
