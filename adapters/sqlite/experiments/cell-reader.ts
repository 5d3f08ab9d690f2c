import type { Database } from "better-sqlite3";
import type { DayCell, MeasuredExperiment } from "../../../domain/experiments/cells.ts";
import type { Experiment } from "../../../domain/experiments/experiment.ts";
import {
  type CellUsers,
  joinCells,
  type PeriodWeight,
  periodsOf,
} from "../../../domain/experiments/joined-cells.ts";
import { type CellRows, countPeopleOnce, crossedOf } from "../../../domain/experiments/shared-people.ts";
import { Recent } from "../../../domain/recent.ts";
import {
  ALL_DAYS,
  RAW,
  type RawRow,
  rawValuesOf,
  SUMS,
  type SumsKey,
  type SumsRow,
  sumsOf,
} from "./cell-rows.ts";
import type { Cells } from "./cells.ts";
import { createPersonReader } from "./person-assignments.ts";

const MOST_EXPERIMENTS = 100;
// They may be a hundred times as many.
const MOST_EXPERIMENTS_BY_DAY = 2;

/**
 * The shelf has another object for an experiment after it was changed, a transaction was rolled back or another connection
 * has written. What this connection commits otherwise is in the version.
 */
interface Kept<T> {
  readonly experiment: Experiment;
  readonly version: number;
  readonly value: T;
}

/** Reads the cells that cells.ts keeps. */
export interface CellReader {
  /** The same object while nothing has changed. */
  ofExperiment(experiment: Experiment): MeasuredExperiment;
  /** The same object while nothing has changed. */
  byDay(experiment: Experiment): readonly DayCell[];
}

export function createCellReader(db: Database, { versionOf }: Pick<Cells, "versionOf">): CellReader {
  const selectPeriods = db.prepare<[number], PeriodWeight>(
    "select period, variant_id, started_at, weight from ab_periods where test_id = ? order by period, variant_id",
  );

  const selectCellUsers = db.prepare<[number, number, number], CellUsers>(
    "select day, variant_id, period, users from ab_cell_users where test_id = ? and day between ? and ?",
  );
  const selectCellSums = db.prepare<[number, number, number], SumsRow & Omit<SumsKey, "test_id">>(
    `select day, variant_id, period, metric_name, declared, ${SUMS.join(", ")} from ab_cell_sums
     where test_id = ? and day between ? and ?`,
  );
  const selectRawValues = db.prepare<[number], RawRow & { variant_id: number; metric_name: string }>(
    `select variant_id, metric_name, ${RAW.join(", ")} from ab_raw_values where test_id = ?`,
  );
  const selectBacklog = db
    .prepare<{ test_id: number }, number>(
      `select coalesce(sum(through_id - next_id), 0) from ab_tally_backlog
       where coalesce(test_id, @test_id) = @test_id`,
    )
    .pluck();

  const sharedPeople = createPersonReader(db);

  const rowsBetween = ({ id }: Experiment, first: number, last: number): CellRows => ({
    users: selectCellUsers.all(id, first, last),
    sums: selectCellSums.all(id, first, last).map((row) => ({
      ...row,
      declared: row.declared === 1,
      sums: sumsOf(row),
    })),
  });

  /** In one transaction, because another process may commit meanwhile. */
  const read = db.transaction((experiment: Experiment, pending_rows: number): MeasuredExperiment => {
    const people = sharedPeople(experiment.id);
    const rows = countPeopleOnce(experiment, rowsBetween(experiment, ALL_DAYS, ALL_DAYS), people, ALL_DAYS);
    return {
      experiment,
      periods: periodsOf(experiment, selectPeriods.all(experiment.id)),
      cells: joinCells(experiment, rows).map(({ day: _, ...cell }) => cell),
      raw: selectRawValues.all(experiment.id).map(rawValuesOf),
      planned_users_reached_at: experiment.planned_users_reached_at,
      pending_rows,
      crossed: crossedOf(people),
    };
  });

  const readDays = db.transaction((experiment: Experiment): readonly DayCell[] => {
    const rows = rowsBetween(experiment, ALL_DAYS + 1, Number.MAX_SAFE_INTEGER);
    return joinCells(experiment, countPeopleOnce(experiment, rows, sharedPeople(experiment.id)));
  });

  const known = new Recent<number, Kept<MeasuredExperiment>>(MOST_EXPERIMENTS);
  const knownDays = new Recent<number, Kept<readonly DayCell[]>>(MOST_EXPERIMENTS_BY_DAY);

  /** What was read before where nothing has changed. */
  function unchanged<T>(kept: Recent<number, Kept<T>>, experiment: Experiment): T | undefined {
    const last = kept.get(experiment.id);
    const isSame = last?.experiment === experiment && last.version === versionOf(experiment.id);
    return isSame ? last.value : undefined;
  }

  function keep<T>(kept: Recent<number, Kept<T>>, experiment: Experiment, value: T): T {
    kept.set(experiment.id, { experiment, version: versionOf(experiment.id), value });
    return value;
  }

  return {
    ofExperiment(experiment) {
      const pending = selectBacklog.get({ test_id: experiment.id }) ?? 0;
      const last = unchanged(known, experiment);
      return last?.pending_rows === pending ? last : keep(known, experiment, read(experiment, pending));
    },

    byDay: (experiment) =>
      unchanged(knownDays, experiment) ?? keep(knownDays, experiment, readDays(experiment)),
  };
}
