import type { DayCell, MeasuredExperiment, RawValues } from "../../../domain/experiments/cells.ts";
import type { Experiment } from "../../../domain/experiments/experiment.ts";
import {
  type CellSums,
  type CellUsers,
  joinCells,
  type PeriodWeight,
  periodsOf,
} from "../../../domain/experiments/joined-cells.ts";
import {
  type CellRows,
  countPeopleOnce,
  crossedOf,
  type PersonAssignment,
} from "../../../domain/experiments/shared-people.ts";
import type { Sums } from "../../../domain/experiments/user-total.ts";
import type { Query } from "../client.ts";
import { exactSumOf } from "./decimals.ts";
import { ALL_DAYS } from "./expressions.ts";
import { assignmentsOfPersons, type SharedRow, sharedPeople } from "./person-assignments.ts";

// Reads the cells. Where the last user was erased nothing is left but zeros, which are not read. The slices are added up in the database, as exact decimals, which are sent as text.

const USERS = `
  select day, variant_id, period, sum(users) as users from ab_cell_users
  where test_id = $1 and day between $2 and $3 group by day, variant_id, period having sum(users) <> 0`;

const SUMS = `
  select day, variant_id, period, metric_name, declared, sum(users_with_value) as users_with_value,
    sum(users_not_zero) as users_not_zero, sum(count) as count, sum(y)::text as y, sum(yy)::text as yy,
    sum(x)::text as x, sum(xx)::text as xx, sum(xy)::text as xy, sum(d)::text as d, sum(dd)::text as dd,
    sum(yd)::text as yd
  from ab_cell_sums where test_id = $1 and day between $2 and $3
  group by day, variant_id, period, metric_name, declared
  having (sum(users_with_value), sum(users_not_zero), sum(count), sum(y), sum(yy), sum(x), sum(xx), sum(xy), sum(d),
    sum(dd), sum(yd)) <> (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)`;

const CELLS = `
  select ${sharedPeople("$1")} as people,
    coalesce((select json_agg(u order by day, variant_id, period) from (${USERS}) u), '[]') as users,
    coalesce((select json_agg(s order by day, variant_id, period, metric_name, declared) from (${SUMS}) s), '[]') as sums`;

// All of one moment: users who are counted after their values would be fewer than those who have some.
const WHOLE = `
  select row_to_json(w)::text as whole from (
    select c.*,
      coalesce((
        select json_agg(p order by period, variant_id)
        from (select period, variant_id, started_at, weight from ab_periods where test_id = $1) p), '[]') as periods,
      coalesce((
        select json_agg(r order by variant_id, metric_name)
        from (
          select variant_id, metric_name, sum(count) as count, sum(sum)::float8 as sum, min(min)::float8 as min,
            max(max)::float8 as max, sum(before_assignment) as before_assignment, sum(after_stop) as after_stop,
            sum(after_window) as after_window, sum(wrong_type) as wrong_type, sum(out_of_range) as out_of_range
          from ab_raw_values where test_id = $1 group by variant_id, metric_name
          having sum(count + before_assignment + after_stop + after_window + wrong_type + out_of_range) <> 0
        ) r), '[]') as raw,
      (select coalesce(sum(pending), 0)::bigint from ab_tally_backlog
        where coalesce(test_id, $1) = $1) as pending_rows
    from (${CELLS}) c) w`;

interface SumsRow extends Omit<CellSums, "sums"> {
  readonly users_with_value: number;
  readonly users_not_zero: number;
  readonly count: number;
  readonly y: string;
  readonly yy: string;
  readonly x: string;
  readonly xx: string;
  readonly xy: string;
  readonly d: string;
  readonly dd: string;
  readonly yd: string;
}

type RawRow = Omit<RawValues, "dropped"> & RawValues["dropped"];

interface CellsRow {
  readonly people: readonly SharedRow[];
  readonly users: readonly CellUsers[];
  readonly sums: readonly SumsRow[];
}

interface WholeRow extends CellsRow {
  readonly periods: readonly PeriodWeight[];
  readonly raw: readonly RawRow[];
  readonly pending_rows: number;
}

/** About as many experiments as are looked at in one day. */
const MOST_KEPT = 200;

interface Kept {
  /** All that the object was made of. */
  readonly text: string;
  readonly measured: MeasuredExperiment;
}

/**
 * Reads experiments with their cells: the same object as before where the database says the same, word for word. No
 * revision could tell that as cheaply: every value would have to write it, to one row that all of them wait for.
 */
export function createCellReader(query: Query) {
  const kept = new Map<number, Kept>();

  function keep(id: number, one: Kept): void {
    kept.delete(id);
    kept.set(id, one);
    const [oldest] = kept.keys();
    if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
  }

  return async (experiment: Experiment): Promise<MeasuredExperiment> => {
    const [row] = await query<{ whole: string }>(WHOLE, [experiment.id, ALL_DAYS, ALL_DAYS]);
    if (row === undefined) throw new Error("a statement that gives one row gave none");
    const text = JSON.stringify(experiment) + row.whole;
    const last = kept.get(experiment.id);
    const measured = last?.text === text ? last.measured : measuredOf(experiment, JSON.parse(row.whole));
    keep(experiment.id, { text, measured });
    return measured;
  };
}

function measuredOf(experiment: Experiment, row: WholeRow): MeasuredExperiment {
  const people = assignmentsOfPersons(row.people);
  return {
    experiment,
    periods: periodsOf(experiment, row.periods),
    cells: cellsOf(experiment, row, people, ALL_DAYS).map(({ day: _, ...cell }) => cell),
    raw: row.raw.map(rawValuesOf),
    planned_users_reached_at: experiment.planned_users_reached_at,
    pending_rows: row.pending_rows,
    crossed: crossedOf(people),
  };
}

const LAST_DAY = 2 ** 31 - 1;

export async function readDayCells(query: Query, experiment: Experiment): Promise<readonly DayCell[]> {
  const [row] = await query<CellsRow>(CELLS, [experiment.id, ALL_DAYS + 1, LAST_DAY]);
  return row === undefined ? [] : cellsOf(experiment, row, assignmentsOfPersons(row.people));
}

function cellsOf(
  experiment: Experiment,
  { users, sums }: CellsRow,
  people: readonly PersonAssignment[],
  allDays?: number,
): DayCell[] {
  const rows: CellRows = { users, sums: sums.map((row) => ({ ...row, sums: sumsOf(row) })) };
  return joinCells(experiment, countPeopleOnce(experiment, rows, people, allDays));
}

function sumsOf(row: SumsRow): Sums {
  return {
    users_with_value: row.users_with_value,
    users_not_zero: row.users_not_zero,
    count: row.count,
    y: exactSumOf(row.y),
    yy: exactSumOf(row.yy),
    x: exactSumOf(row.x),
    xx: exactSumOf(row.xx),
    xy: exactSumOf(row.xy),
    d: exactSumOf(row.d),
    dd: exactSumOf(row.dd),
    yd: exactSumOf(row.yd),
  };
}

const rawValuesOf = (row: RawRow): RawValues => {
  const { before_assignment, after_stop, after_window, wrong_type, out_of_range, ...raw } = row;
  return { ...raw, dropped: { before_assignment, after_stop, after_window, wrong_type, out_of_range } };
};
