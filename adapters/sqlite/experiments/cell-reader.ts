import type { Database } from "better-sqlite3";
import type { DayCell, ExperimentCells } from "../../../domain/experiments/cells.ts";
import type { Experiment } from "../../../domain/experiments/experiment.ts";
import {
  type CellUsers,
  joinCells,
  type PeriodWeight,
  periodsOf,
} from "../../../domain/experiments/joined-cells.ts";
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

/** Reads the cells that cells.ts keeps. */
export interface CellReader {
  ofExperiment(experiment: Experiment): ExperimentCells;
  byDay(experiment: Experiment): readonly DayCell[];
}

export function createCellReader(db: Database): CellReader {
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

  const cellsBetween = (experiment: Experiment, first: number, last: number): DayCell[] =>
    joinCells(
      experiment,
      selectCellUsers.all(experiment.id, first, last),
      selectCellSums.all(experiment.id, first, last).map((row) => ({
        ...row,
        declared: row.declared === 1,
        sums: sumsOf(row),
      })),
    );

  return {
    ofExperiment: (experiment) => ({
      periods: periodsOf(experiment, selectPeriods.all(experiment.id)),
      cells: cellsBetween(experiment, ALL_DAYS, ALL_DAYS).map(({ day: _, ...cell }) => cell),
      raw: selectRawValues.all(experiment.id).map(rawValuesOf),
      planned_users_reached_at: experiment.planned_users_reached_at,
      pending_rows: selectBacklog.get({ test_id: experiment.id }) ?? 0,
    }),

    byDay: (experiment) => cellsBetween(experiment, ALL_DAYS + 1, Number.MAX_SAFE_INTEGER),
  };
}
