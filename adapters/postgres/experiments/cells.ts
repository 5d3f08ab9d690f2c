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
import { Recent } from "../../../domain/recent.ts";
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

const BY_DAY = `select row_to_json(c)::text as cells from (${CELLS}) c`;

// All of one moment: users who are counted after their values would be fewer than those who have some.
const WHOLE = `
  select row_to_json(w)::text as cells from (
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

const LAST_DAY = 2 ** 31 - 1;

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

const MOST_EXPERIMENTS = 100;
// They may be a hundred times as many.
const MOST_EXPERIMENTS_BY_DAY = 2;

interface Kept<T> {
  /** All that the value was made of. */
  readonly text: string;
  readonly value: T;
}

/**
 * Reads experiments with their cells, and the cells of each day: the same objects as before where the database says the
 * same, word for word. No revision could tell that as cheaply: every value would have to write it, to one row that all of
 * them wait for.
 */
export function createCellReader(query: Query) {
  const known = new Recent<number, Kept<MeasuredExperiment>>(MOST_EXPERIMENTS);
  const knownDays = new Recent<number, Kept<readonly DayCell[]>>(MOST_EXPERIMENTS_BY_DAY);

  async function read<T>(
    kept: Recent<number, Kept<T>>,
    experiment: Experiment,
    {
      statement,
      days,
      parse,
    }: { statement: string; days: readonly [number, number]; parse: (json: string) => T },
  ): Promise<T> {
    const [row] = await query<{ cells: string }>(statement, [experiment.id, ...days]);
    if (row === undefined) throw new Error("a statement that gives one row gave none");
    const text = JSON.stringify(experiment) + row.cells;
    const last = kept.get(experiment.id);
    const value = last?.text === text ? last.value : parse(row.cells);
    kept.set(experiment.id, { text, value });
    return value;
  }

  return {
    ofExperiment: (experiment: Experiment): Promise<MeasuredExperiment> =>
      read(known, experiment, {
        statement: WHOLE,
        days: [ALL_DAYS, ALL_DAYS],
        parse: (json) => measuredOf(experiment, JSON.parse(json)),
      }),

    byDay: (experiment: Experiment): Promise<readonly DayCell[]> =>
      read(knownDays, experiment, {
        statement: BY_DAY,
        days: [ALL_DAYS + 1, LAST_DAY],
        parse: (json) => {
          const row: CellsRow = JSON.parse(json);
          return cellsOf(experiment, row, assignmentsOfPersons(row.people));
        },
      }),
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
