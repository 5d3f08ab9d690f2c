import type { Database } from "better-sqlite3";
import { readDetails, writeDetails } from "../../../domain/experiments/details.ts";
import { type GroupInput, type GroupRange, takeRange } from "../../../domain/experiments/exclusion.ts";
import {
  type Experiment,
  ExperimentStatus,
  type NewExperiment,
} from "../../../domain/experiments/experiment.ts";
import { type Forced, isOpen } from "../../../domain/experiments/lifecycle.ts";
import { type MetricDefinition, readMetrics } from "../../../domain/experiments/metric-declaration.ts";
import { addedMetrics, type BacklogSource } from "../../../domain/experiments/user-total.ts";
import type { ChangedExperiment, ExperimentPage, ExperimentStore } from "../../../domain/storage.ts";
import type { Instant } from "../../../domain/time.ts";
import { isUniqueViolation, reading } from "../failures.ts";
import { toSql } from "../instants.ts";
import { createTurns } from "../turns.ts";
import type { Writer } from "../writer.ts";
import type { Deletions } from "./deletions.ts";
import { createExperimentRows, type ExperimentRow } from "./experiment-rows.ts";
import type { WeightPeriods } from "./weight-periods.ts";

type SettingsRow = Omit<ExperimentRow, "id" | "test_name" | "description" | "created_at"> & {
  test_id: number;
};

/** A cache of experiments, which is emptied when another connection has written to the file. */
export interface ExperimentShelf {
  find(id: number): Experiment | undefined;
  /** The experiments with these ids, in their order; an id without one is left out. */
  findAll(ids: readonly number[]): Experiment[];
  /** The ids of a page, newest first. */
  ids(page: ExperimentPage): number[];
  /** Empties the cache after a change on this connection, which it cannot notice by itself. */
  clear(): void;
  /** A writing transaction has begun: until `unlock` no other connection can write. */
  lock(): void;
  unlock(): void;
  /** The metrics of running experiments that are computed from events, by event type. */
  watches(): ReadonlyMap<string, readonly Watch[]>;
  /** The same of all experiments whatever their status, or of one of them. */
  allWatches(testId: number | null): ReadonlyMap<string, readonly Watch[]>;
}

export interface Watch {
  readonly test_id: number;
  readonly metric: MetricDefinition;
}

export function createExperimentShelf(db: Database): ExperimentShelf {
  const rows = createExperimentRows(db);
  const selectWatches = db.prepare<[], { test_id: number; metrics: string }>(
    "select test_id, metrics from ab_settings where status in ('running', 'paused') and metrics like '%\"event_type\"%'",
  );
  const selectAllWatches = db.prepare<[number | null], { test_id: number; metrics: string }>(
    "select test_id, metrics from ab_settings where test_id = coalesce(?, test_id) and metrics like '%\"event_type\"%'",
  );
  // Changes when another connection has committed. Asking costs a fifth of reading an experiment.
  const dataVersion = db.prepare<[], number>("pragma data_version").pluck();

  const shelf = new Map<number, Experiment>();
  let watches: Map<string, Watch[]> | undefined;
  let version = dataVersion.get();
  let isLocked = false;

  function clear(): void {
    shelf.clear();
    watches = undefined;
  }

  function notice(): void {
    if (isLocked) return;
    const current = dataVersion.get();
    if (current === version) return;
    version = current;
    clear();
  }

  function load(ids: readonly number[]): void {
    const missing = ids.filter((id) => !shelf.has(id));
    if (missing.length === 0) return;
    for (const experiment of rows.read(missing)) shelf.set(experiment.id, experiment);
  }

  function findAll(ids: readonly number[]): Experiment[] {
    notice();
    load(ids);
    return ids.flatMap((id) => shelf.get(id) ?? []);
  }

  function watchesOf(rows: readonly { test_id: number; metrics: string }[]): Map<string, Watch[]> {
    const found = new Map<string, Watch[]>();
    for (const { test_id, metrics } of rows) {
      for (const metric of readMetrics(metrics)) {
        if (metric.event_type === undefined) continue;
        found.set(metric.event_type, [...(found.get(metric.event_type) ?? []), { test_id, metric }]);
      }
    }
    return found;
  }

  return {
    find: (id) => findAll([id])[0],
    findAll,
    ids: rows.ids,
    clear,
    lock() {
      notice();
      isLocked = true;
    },
    unlock() {
      isLocked = false;
    },
    watches() {
      notice();
      watches ??= watchesOf(selectWatches.all());
      return watches;
    },
    allWatches: (testId) => watchesOf(selectAllWatches.all(testId)),
  };
}

// About a millisecond of reading with twenty variants each.
const EXPERIMENTS_A_TURN = 50;

/** Lists a page in short turns: a page of a thousand experiments would block the event loop. */
function createLister(shelf: ExperimentShelf): ExperimentStore["listExperiments"] {
  const inTurn = createTurns();
  return async (page) => {
    if (page.limit <= EXPERIMENTS_A_TURN) return reading(() => shelf.findAll(shelf.ids(page)));
    const ids = await inTurn(() => reading(() => shelf.ids(page)));
    const found: Experiment[] = [];
    for (let from = 0; from < ids.length; from += EXPERIMENTS_A_TURN) {
      const some = ids.slice(from, from + EXPERIMENTS_A_TURN);
      found.push(...(await inTurn(() => reading(() => shelf.findAll(some)))));
    }
    // One may have been stopped meanwhile.
    const wanted = page.status === undefined ? undefined : [page.status].flat();
    return found.filter(({ status }) => wanted?.includes(status) ?? true);
  };
}

const OPEN = ExperimentStatus.options.filter(isOpen);

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the store's statements, prepared once, and the acts that share them.
export function createExperimentStore(
  db: Database,
  writer: Writer,
  shelf: ExperimentShelf,
  deletions: Deletions,
  periods: WeightPeriods,
  /** Called when there may be stored rows to tally. */
  onBacklog: () => void,
): ExperimentStore {
  const insertTest = db.prepare<[string, string | null, string]>(
    "insert into ab_tests(test_name, description, created_at) values (?, ?, ?)",
  );
  const insertVariant = db.prepare<[number, string, string | null, number, string]>(
    "insert into ab_variants(test_id, variant_name, description, weight, created_at) values (?, ?, ?, ?, ?)",
  );
  const upsertSettings = db.prepare<SettingsRow>(
    `insert or replace into ab_settings(test_id, salt, status, traffic, confidence_level, planned_users, stopped_at,
       control_variant_id, winner_variant_id, metrics, window_days, stop_at, planned_users_reached_at, details)
     values (@test_id, @salt, @status, @traffic, @confidence_level, @planned_users, @stopped_at, @control_variant_id,
       @winner_variant_id, @metrics, @window_days, @stop_at, @planned_users_reached_at, @details)`,
  );
  const selectOpenDetails = db
    .prepare<[string], string | null>(
      "select details from ab_settings where status in (select value from json_each(?))",
    )
    .pluck();
  const selectIdByName = db.prepare<[string], number>("select id from ab_tests where test_name = ?").pluck();
  const updateDescription = db.prepare<[string | null, number]>(
    "update ab_tests set description = ? where id = ?",
  );
  const updateWeight = db.prepare<[number, number]>("update ab_variants set weight = ? where id = ?");
  const force = db.prepare<[number, string, number, Instant]>(
    "insert or replace into ab_forced(test_id, user_id, variant_id, forced_at) values (?, ?, ?, ?)",
  );
  const unforce = db.prepare<[number, string]>("delete from ab_forced where test_id = ? and user_id = ?");

  const backlogOf = (source: BacklogSource, table: string) =>
    db.prepare<[number, string]>(
      `insert into ab_tally_backlog(source, test_id, metric_name, next_id, through_id)
       select '${source}', ?, ?, 0, max(id) from ${table} having max(id) is not null`,
    );
  const addBacklog = {
    covariates: backlogOf("covariates", "ab_assignments"),
    values: backlogOf("values", "ab_metrics"),
    events: backlogOf("events", "events"),
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

  function writeSettings(test_id: number, control: number | null, experiment: NewExperiment): void {
    const { salt, status, traffic, confidence_level, planned_users, stopped_at, winner_variant_id } =
      experiment;
    const { window_days, stop_at, planned_users_reached_at } = experiment;
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
      window_days,
      stop_at,
      planned_users_reached_at,
      details: writeDetails(experiment),
      metrics: JSON.stringify(experiment.metrics),
    });
  }

  function rangeIn(group: GroupInput): GroupRange {
    const open = selectOpenDetails.all(JSON.stringify(OPEN)).map(readDetails);
    const ranges = open.flatMap(({ exclusion_group: range }) => (range?.name === group.name ? [range] : []));
    return takeRange(group, ranges);
  }

  function create(wanted: NewExperiment, group: GroupInput | null): Experiment | undefined {
    const id = insertTestUnlessTaken(wanted);
    if (id === undefined) return undefined;
    const experiment = group === null ? wanted : { ...wanted, exclusion_group: rangeIn(group) };
    let control: number | null = null;
    for (const { variant_name, description, weight, is_control } of experiment.variants) {
      const row = insertVariant.run(id, variant_name, description, weight, toSql(experiment.created_at));
      if (is_control) control = Number(row.lastInsertRowid);
    }
    writeSettings(id, control, experiment);
    shelf.clear();
    const created = shelf.find(id);
    if (created !== undefined) {
      periods.begin(created, experiment.created_at);
    }
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
    for (const { metric_name, sources } of addedMetrics(stored.metrics, experiment.metrics))
      for (const source of sources) addBacklog[source].run(id, metric_name);
    if (moved.length > 0) {
      periods.begin(experiment, at, stored);
    }
    shelf.clear();
    return experiment;
  }

  return {
    createExperiment: (experiment, group = null) =>
      writer.write(experiment.variants.length, () => create(experiment, group)),
    findExperimentByName: (name) =>
      reading(() => {
        const id = selectIdByName.get(name);
        return id === undefined ? undefined : shelf.find(id);
      }),
    findExperiment: (id) => reading(() => shelf.find(id)),
    listExperiments: createLister(shelf),
    updateExperiment: async (id, change) => {
      const changed = await writer.write(1, () => update(id, change));
      onBacklog();
      return changed;
    },
    deleteExperiment: deletions.deleteExperiment,
  };
}
